namespace ActorTrainer.Host.Chaos;

/// <summary>Something that a run's feed told.</summary>
/// <param name="At">Seconds on the watch's clock.</param>
/// <param name="Kind">What.</param>
/// <param name="Step">Step done or committed; of an attempt: the step it begins after.</param>
/// <param name="Attempt">Number of the attempt, 0 for a step or commit.</param>
internal readonly record struct FeedEvent(double At, FeedKind Kind, long Step, int Attempt = 0);

/// <summary>Kinds of <see cref="FeedEvent"/>.</summary>
internal enum FeedKind
{
    Attempt,
    Step,
    Commit,
}

/// <summary>Where a run stood when a fault took effect.</summary>
/// <param name="At">Seconds on the watch's clock.</param>
/// <param name="Attempt">Attempt under way.</param>
/// <param name="Step">Last step done.</param>
/// <param name="Position">Events before it.</param>
internal readonly record struct Mark(double At, int Attempt, long Step, int Position);

/// <summary>How a run got over a fault.</summary>
/// <param name="Detected">Seconds from the fault to the next attempt; null when the attempt under way survived.</param>
/// <param name="Recovered">Seconds from the fault to the next committed step that proves it.</param>
/// <param name="Replayed">Steps done a second time.</param>
internal sealed record Recovery(double? Detected, double Recovered, long Replayed)
{
    /// <summary>
    /// Judges from what the feed told. A commit counts when it is of a later attempt, or of a step that began after the fault; one that was
    /// already under way proves nothing.
    /// </summary>
    /// <param name="first">When the fault took effect first.</param>
    /// <param name="last">When it did last; the same for all but pairs.</param>
    /// <param name="events">All events.</param>
    /// <returns>Null: not yet recovered.</returns>
    public static Recovery? Judge(Mark first, Mark last, IReadOnlyList<FeedEvent> events)
    {
        double? detected = null;
        var (step, replayed, survived) = (first.Step, 0L, true);
        for (var i = first.Position; i < events.Count; i++)
        {
            var e = events[i];
            switch (e.Kind)
            {
                case FeedKind.Attempt:
                    detected ??= e.At - first.At;
                    replayed += Math.Max(0, step - e.Step);
                    step = e.Step;
                    survived &= e.Attempt <= last.Attempt;
                    break;
                case FeedKind.Step:
                    step = e.Step;
                    break;
                case FeedKind.Commit when i >= last.Position && (!survived || e.Step >= last.Step + 2):
                    return new Recovery(detected, e.At - first.At, replayed);
            }
        }

        return null;
    }
}
