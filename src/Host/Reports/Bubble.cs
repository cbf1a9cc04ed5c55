using ActorTrainer.Actors.Telemetry;

namespace ActorTrainer.Host.Reports;

/// <summary>Idle time of a pipeline as it was measured.</summary>
public static class Bubble
{
    /// <inheritdoc cref="StageLoad.Bubble"/>
    public static double? Measured(IEnumerable<StageLoad> loads) => StageLoad.Bubble(loads);
}
