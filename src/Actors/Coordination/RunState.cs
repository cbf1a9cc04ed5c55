using ActorTrainer.Actors.Protocol;
using MessagePack;

namespace ActorTrainer.Actors.Coordination;

/// <summary>How far a run has come.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Sequences">Sequences used: the data position.</param>
/// <param name="Seconds">Seconds spent in steps.</param>
/// <param name="Skipped">Steps whose update was skipped.</param>
[MessagePackObject]
public sealed record RunPosition(
    [property: Key(0)] long Step,
    [property: Key(1)] long Sequences,
    [property: Key(2)] double Seconds,
    [property: Key(3)] long Skipped)
{
    /// <summary>The start of a run.</summary>
    public static readonly RunPosition Start = new(0, 0, 0, 0);
}

/// <summary>What the journal says about a run; a pure fold over <see cref="RunEvents"/>.</summary>
/// <param name="Run">Id of the run, empty before it was created.</param>
/// <param name="Recipe">Settings that decide the result.</param>
/// <param name="Attempt">Attempts begun.</param>
/// <param name="At">Position of the attempt under way.</param>
/// <param name="Committed">Position of the last checkpoint.</param>
/// <param name="Manifest">Hash of the last checkpoint's manifest, empty before the first.</param>
/// <param name="Export">Folder of the finished model, empty while the run is not complete.</param>
/// <param name="Objects">Unit name → hash of its state in the last checkpoint; null when only the manifest's file has them.</param>
/// <param name="Retries">Attempts begun since the last checkpoint, and why.</param>
[MessagePackObject]
public sealed record RunState(
    [property: Key(0)] string Run,
    [property: Key(1)] string Recipe,
    [property: Key(2)] int Attempt,
    [property: Key(3)] RunPosition At,
    [property: Key(4)] RunPosition Committed,
    [property: Key(5)] string Manifest,
    [property: Key(6)] string Export,
    [property: Key(7)] IReadOnlyDictionary<string, string>? Objects,
    [property: Key(8)] Retries? Retries) : IWire
{
    /// <summary>Before the first event.</summary>
    public static readonly RunState Empty = new("", "", 0, RunPosition.Start, RunPosition.Start, "", "", null, null);

    /// <summary>The state after one more event. Events of steps that an attempt took back are undone by that attempt's own event.</summary>
    public RunState Apply(IRunEvent fact) => fact switch
    {
        RunEvents.Created e => Empty with { Run = e.Run, Recipe = e.Recipe },
        RunEvents.AttemptStarted e => this with { Attempt = e.Attempt, At = Committed, Retries = (Retries ?? Retries.None).After(e) },
        RunEvents.StepRecorded e => this with
        {
            At = new RunPosition(e.Step, At.Sequences + e.Sequences, At.Seconds + e.Seconds, At.Skipped + (e.Skipped ? 1 : 0)),
        },
        RunEvents.Committed e => this with { Committed = At, Manifest = e.Manifest, Objects = e.Objects, Retries = null },
        RunEvents.Completed e => this with { Export = e.Export },
        RunEvents.Failed => this with { Retries = null },
        _ => throw new ArgumentException($"Unknown event {fact.GetType().Name}."),
    };

    /// <summary>Differences between the recipe of the journal and another one, one line each; empty when they agree.</summary>
    public IReadOnlyList<string> RecipeDifferences(string recipe)
    {
        var recorded = Lines(Recipe);
        var given = Lines(recipe);
        return
        [
            .. recorded.Keys.Union(given.Keys).Order(StringComparer.Ordinal)
                .Where(key => recorded.GetValueOrDefault(key) != given.GetValueOrDefault(key))
                .Select(key => $"{key}: {recorded.GetValueOrDefault(key) ?? "(not set)"} in the run, {given.GetValueOrDefault(key) ?? "(not set)"} now"),
        ];
    }

    private static Dictionary<string, string> Lines(string recipe) => recipe
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split('=', 2))
        .ToDictionary(parts => parts[0], parts => parts.Length > 1 ? parts[1] : "", StringComparer.Ordinal);
}
