using ActorTrainer.Actors.Protocol;

namespace ActorTrainer.Actors.Coordination;

/// <summary>Tells a stall from a long step.</summary>
public static class StallVerdict
{
    /// <summary>
    /// Null while any stage computes and made progress less than the time-out ago; otherwise what every stage is
    /// doing and whom it waits for.
    /// </summary>
    /// <param name="statuses">Answers by stage; a missing one means that the stage did not answer.</param>
    /// <param name="stages">Stages of the pipeline.</param>
    /// <param name="timeout">Stall time-out in seconds.</param>
    public static string? Judge(IReadOnlyDictionary<int, StageProtocol.Status> statuses, int stages, double timeout)
    {
        if (statuses.Values.Any(s => s.Silent < timeout && (s.Busy || statuses.Count < stages)))
        {
            return null;
        }

        var lines = Enumerable.Range(0, stages).Select(stage => statuses.TryGetValue(stage, out var status)
            ? $"stage {stage} {status.Text} ({status.Seconds:F0} s)"
            : $"stage {stage} does not answer");
        return $"{string.Join("; ", lines)}. If the stages are only slow, raise impl.stall_timeout={timeout:F0}";
    }
}
