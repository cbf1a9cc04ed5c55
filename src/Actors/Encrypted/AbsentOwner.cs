using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>The way to an owner who has left: a run that bootstraps never takes it.</summary>
public sealed class AbsentOwner : IOwnerLink
{
    /// <inheritdoc/>
    public int MaxLevel => 0;

    /// <inheritdoc/>
    public void Begin(string run, int attempt, long step, Phase phase, int microBatch)
    {
    }

    /// <inheritdoc/>
    public void Report(IReadOnlyList<Ciphertext> ciphertexts, string site) => throw Gone($"shown {site}");

    /// <inheritdoc/>
    public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site) => throw Gone($"asked to refresh {site}");

    /// <inheritdoc/>
    public void Cancel()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static InvalidOperationException Gone(string what) => new($"The data owner was to be {what}, but this run has no owner at hand: he.refresh=bootstrap runs without one. Give he.owner=HOST:PORT, or evaluate with evaluate-encrypted on the owner's side.");
}
