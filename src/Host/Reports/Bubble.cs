using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>Idle time of a pipeline as it was measured.</summary>
public static class Bubble
{
    /// <summary>
    /// Idle share over all stages and steps given, 1 − Σ busy / Σ window, in [0, 1]; null without loads. For one step that
    /// is 1 − Σ busy / (stages · window), the measured side of <c>ScheduleMath.BubbleFraction</c>.
    /// </summary>
    public static double? Measured(IEnumerable<StageLoad> loads)
    {
        var (busy, window) = (0.0, 0.0);
        foreach (var load in loads)
        {
            busy += load.Busy;
            window += load.Window;
        }

        return window > 0 ? Math.Clamp(1 - busy / window, 0, 1) : null;
    }
}
