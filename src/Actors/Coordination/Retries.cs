using ActorTrainer.Actors.Protocol;
using MessagePack;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Attempts begun since the last checkpoint, by their cause; decides whether another one makes sense.</summary>
/// <param name="Failures">Attempts that began because something failed.</param>
/// <param name="Losses">Attempts that began because a stage, node or link was lost.</param>
/// <param name="Reason">Reason of the last failure.</param>
/// <param name="Same">How often in a row that was the reason.</param>
[MessagePackObject]
public sealed record Retries(
    [property: Key(0)] int Failures,
    [property: Key(1)] int Losses,
    [property: Key(2)] string Reason,
    [property: Key(3)] int Same)
{
    /// <summary>The same failure as often as this is no accident: repeating it would go on for ever.</summary>
    public const int Poison = 3;

    /// <summary>
    /// Losses without a checkpoint between them that end a run. Nodes may come and go for long, but a computation that takes its process
    /// down each time looks like that too.
    /// </summary>
    public const int MostLosses = 30;

    /// <summary>None yet.</summary>
    public static readonly Retries None = new(0, 0, "", 0);

    /// <summary>With one more attempt.</summary>
    public Retries After(RunEvents.AttemptStarted attempt) => attempt.Cause switch
    {
        AttemptCause.Failure => new Retries(Failures + 1, Losses, attempt.Reason, attempt.Reason == Reason ? Same + 1 : 1),
        AttemptCause.Loss => this with { Losses = Losses + 1 },
        _ => this,
    };

    /// <summary>Why there should be no further attempt after one more failure or loss, null when there should.</summary>
    /// <param name="cause">What it was.</param>
    /// <param name="reason">What happened.</param>
    /// <param name="most">Failures of any kind allowed since the last checkpoint.</param>
    public string? Verdict(AttemptCause cause, string reason, int most)
    {
        if (cause == AttemptCause.Loss)
        {
            return Losses >= MostLosses ? $"{reason} (lost {Losses + 1} times without a checkpoint between)" : null;
        }

        var same = reason == Reason ? Same + 1 : 1;
        return same >= Poison ? $"{reason} (the same failure {same} times in a row: another attempt would fail alike)"
            : Failures >= most ? $"{reason} (failed {Failures + 1} times since the last checkpoint)"
            : null;
    }
}
