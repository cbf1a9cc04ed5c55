using ActorTrainer.Actors.Nodes;

namespace ActorTrainer.Actors.Crew;

/// <summary>Memory that a stage needs.</summary>
/// <param name="Fixed">Bytes of weights, gradients and optimiser state.</param>
/// <param name="Activation">Bytes kept between forward and backward, for one micro-batch through one part (the largest of the stage).</param>
/// <param name="InFlight">Micro-batches in flight, counted once for each part they have passed.</param>
public readonly record struct StageMemory(long Fixed, long Activation, int InFlight)
{
    /// <summary>All of it, bytes.</summary>
    public long Bytes => Fixed + Activation * InFlight;

    /// <summary>Memory of a stage with the given parts.</summary>
    /// <param name="parts">The units of each part of the stage.</param>
    /// <param name="inFlight">See <see cref="Schedules.ScheduleMath.MaxInFlight"/>.</param>
    public static StageMemory Of(IEnumerable<IEnumerable<UnitMemory>> parts, int inFlight)
    {
        var (all, largest) = (0L, 0L);
        foreach (var part in parts)
        {
            var activation = 0L;
            foreach (var unit in part)
            {
                all += unit.Fixed;
                activation += unit.Activation;
            }

            largest = Math.Max(largest, activation);
        }

        return new StageMemory(all, largest, inFlight);
    }

    public override string ToString() =>
        $"{Text(Bytes)}: {Text(Fixed)} of weights, gradients and optimiser state + {InFlight} micro-batch{(InFlight == 1 ? "" : "es")} x {Text(Activation)}";

    /// <summary>Bytes for people.</summary>
    public static string Text(long bytes) => bytes >= 10L << 20 ? $"{bytes / 1048576.0:F0} MiB" : $"{bytes / 1048576.0:F1} MiB";
}
