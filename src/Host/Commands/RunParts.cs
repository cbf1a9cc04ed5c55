using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Stages;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.Commands;

/// <summary>What a run is made of, wherever its stages live.</summary>
internal static class RunParts
{
    /// <summary>Micro-batches of prepared blocks.</summary>
    public static MlmBatchSource Batches(RunConfiguration run, PreparedData data, WordPieceTokenizer? tokenizer)
    {
        var special = tokenizer?.Special ?? SpecialTokens.Own;
        var train = new MlmBatcher(data.Train, special, run.Arch.Vocabulary, run.Seed, run.Train.MlmProbability);
        var heldOut = new MlmBatcher(data.HeldOut, special, run.Arch.Vocabulary, run.Seed, run.Train.MlmProbability);
        return new MlmBatchSource(train, heldOut, data.Train.UnigramCounts, run.Arch.Sequence, train.MaskedPerRow, data.HeldOut.BlockCount);
    }

    /// <summary>Measured seconds of a micro-batch through each unit; see <see cref="UnitCosts.Measure"/>.</summary>
    public static IReadOnlyList<double> MeasureUnits(RunConfiguration run, MlmBatchSource batches, DeviceChoice device) =>
        UnitCosts.Measure(run.Arch, RowsOf(run), batches.TargetsPerSequence, run.Impl.Threads, device.Device, device.BFloat16);

    /// <summary>Sequences of a full micro-batch.</summary>
    public static int RowsOf(RunConfiguration run) => Math.Min(run.Impl.MicroBatchSize, run.Train.BatchSize);

    /// <summary>The cut that the configuration asks for.</summary>
    public static StagePartition Partition(RunConfiguration run, MlmBatchSource batches, DeviceChoice device)
    {
        var units = UnitFactory.Count(run.Arch);
        var parts = run.Pipeline.Stages * run.Pipeline.Chunks;
        if (run.Pipeline.Cut.Count > 0)
        {
            return StagePartition.FromCut(run.Pipeline.Cut, units);
        }

        return run.Pipeline.Partition == PartitionKind.Count || parts == 1 || parts == units
            ? StagePartition.ByCount(units, parts)
            : StagePartition.ByCost(MeasureUnits(run, batches, device), parts);
    }

    /// <summary>A partition for people.</summary>
    public static string Describe(StagePartition partition, RunConfiguration run)
    {
        var names = UnitFactory.Names(run.Arch);
        return string.Join(" | ", partition.Parts.Select(part => part.Count == 1 ? names[part.First] : $"{names[part.First]} … {names[part.End - 1]}"));
    }

    /// <summary>Idle share that the schedule's formula gives for a full step; null for one stage, which has none.</summary>
    public static double? BubbleFormula(RunConfiguration run) => run.Pipeline.Stages == 1 ? null : ScheduleMath.BubbleFraction(
        run.Pipeline.Schedule, run.Pipeline.Stages, Math.Max(1, (run.Train.BatchSize + run.Impl.MicroBatchSize - 1) / run.Impl.MicroBatchSize), run.Pipeline.Chunks);
}
