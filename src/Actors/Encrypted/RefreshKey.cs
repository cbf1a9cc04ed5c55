using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Protocol;
using MessagePack;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Identity of one request to the data owner: equal keys mean the same ciphertexts, so a repeated one is a re-send or a replay.</summary>
/// <param name="Run">Run id.</param>
/// <param name="Attempt">Attempt of the run; requests of an earlier attempt are stale.</param>
/// <param name="Step">Step.</param>
/// <param name="Phase">Training or evaluation.</param>
/// <param name="MicroBatch">Micro-batch of the step, −1 for what belongs to none, as the optimiser's.</param>
/// <param name="Site">Unit and tensor, as <c>layers.0.norm1.variance</c>: at most <see cref="MaxSite"/> letters, digits and <c>. - _</c>.</param>
/// <param name="Ordinal">0-based number of the request among those of its site within all of the above.</param>
[MessagePackObject]
public readonly record struct RefreshKey(
    [property: Key(0)] string Run,
    [property: Key(1)] int Attempt,
    [property: Key(2)] long Step,
    [property: Key(3)] Phase Phase,
    [property: Key(4)] int MicroBatch,
    [property: Key(5)] string Site,
    [property: Key(6)] int Ordinal)
{
    /// <summary>Longest site in characters.</summary>
    public const int MaxSite = 200;

    /// <summary>Whether a text can name a site.</summary>
    public static bool IsSite(string? text) =>
        text is { Length: > 0 and <= MaxSite } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    /// <summary>What is wrong with a key from a stranger, null when nothing is.</summary>
    public string? Flaw() =>
        !NodeStore.IsRun(Run) ? "the run id is none"
        : Attempt < 0 ? $"attempt {Attempt} is none"
        : Step < 0 ? $"step {Step} is none"
        : Phase is not (Phase.Train or Phase.Evaluate) ? $"phase {(byte)Phase} is unknown"
        : MicroBatch < -1 ? $"micro-batch {MicroBatch} is none"
        : !IsSite(Site) ? "the site is none"
        : Ordinal < 0 ? $"ordinal {Ordinal} is none"
        : null;

    public override string ToString() =>
        $"{Site} #{Ordinal} ({(MicroBatch < 0 ? "" : $"micro-batch {MicroBatch}, ")}{(Phase == Phase.Train ? "" : "evaluation after ")}step {Step}, attempt {Attempt} of {Run})";
}
