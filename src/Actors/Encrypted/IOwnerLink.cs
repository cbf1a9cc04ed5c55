using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>A stage's way to the data owner: refreshes, and what the owner only looks at. Members but <see cref="Cancel"/> and <see cref="Outage"/> are called on the stage's own thread.</summary>
public interface IOwnerLink : IRefresher, IDisposable
{
    /// <summary>The owner, for people, while it is needed and away; else null. Called from any thread.</summary>
    string? Outage => null;

    /// <summary>Ways to helpers, who bootstrap for this stage.</summary>
    IReadOnlyList<IOwnerLink> Helpers => [];

    /// <summary>What was exchanged so far.</summary>
    RefreshTraffic Traffic => default;

    /// <summary>Requests from now on belong to this place of the run.</summary>
    /// <param name="run">Run id.</param>
    /// <param name="attempt">Attempt.</param>
    /// <param name="step">1-based step.</param>
    /// <param name="phase">Training or evaluation.</param>
    /// <param name="microBatch">Micro-batch of the step, −1: of the step as a whole.</param>
    void Begin(string run, int attempt, long step, Phase phase, int microBatch);

    /// <summary>Shows the owner ciphertexts; returns when it has them.</summary>
    /// <param name="ciphertexts">Of two parts each.</param>
    /// <param name="site">What they are.</param>
    void Report(IReadOnlyList<Ciphertext> ciphertexts, string site);

    /// <summary>Makes calls fail with <see cref="OperationCanceledException"/>, the one under way too, until another attempt begins. Called from any thread.</summary>
    void Cancel();
}
