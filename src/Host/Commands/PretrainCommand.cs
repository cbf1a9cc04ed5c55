using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Views;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Stages;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.Commands;

/// <summary><c>pretrain</c> and <c>dev</c>: prepare, train, report.</summary>
internal static class PretrainCommand
{
    /// <summary>Runs <c>pretrain</c>.</summary>
    public static Task<int> Pretrain(CommandContext context, CancellationToken stop) => Run(context, stop);

    /// <summary>Runs <c>dev</c>: the same, and a word on what to do next.</summary>
    public static async Task<int> Dev(CommandContext context, CancellationToken stop)
    {
        var code = await Run(context, stop).ConfigureAwait(false);
        if (code == App.Done && !stop.IsCancellationRequested)
        {
            var next = NextSteps(context).ToList();
            var width = next.Max(step => step.Line.Length) + 2;
            context.Out.WriteLine("\nWhat to do next:");
            next.ForEach(step => context.Out.WriteLine($"  {step.Line.PadRight(width)}{step.Help}"));
        }

        return code;
    }

    /// <summary>Command lines worth trying after <c>dev</c>; the twin run keeps the words that the user typed, or its bits would differ.</summary>
    private static IEnumerable<(string Line, string Help)> NextSteps(CommandContext context)
    {
        var run = context.Run;
        if (run.Data.Path.Length == 0)
        {
            yield return ("actortrainer dev data.path=FILE_OR_FOLDER name=mine", "the same on your own text");
        }

        if (run.Pipeline.Stages > 1 && run.Impl.DigestEvery > 0)
        {
            var typed = context.Words.Where(word => !word.StartsWith("name=", StringComparison.Ordinal) && !word.StartsWith("pipeline", StringComparison.Ordinal));
            var baseDir = context.Words.FirstOrDefault(word => word.StartsWith("base_dir=", StringComparison.Ordinal));
            yield return ($"actortrainer {string.Join(' ', typed)} pipeline=single name={run.Name}-single", "the same model in one stage actor …");
            yield return ($"actortrainer compare-runs {run.Name} {run.Name}-single{(baseDir is null ? "" : " " + baseDir)}", "… ends with the same bits");
        }

        yield return ("actortrainer pretrain --help", "real runs");
    }

    private static async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        using var folder = RunFolder.Open(run.RunFolder);

        var terminal = context.Console.Profile.Out.IsTerminal;
        var progress = new PhaseProgress(context.Out, terminal, TimeProvider.System);
        var device = DeviceChoice.Of(run.Impl);
        var tokenizer = CorpusPreparation.Tokenizer(run, progress, stop);
        using var data = CorpusPreparation.Data(run, tokenizer, progress, stop);
        var batches = Batches(run, data, tokenizer?.Special ?? SpecialTokens.Own);
        var partition = Partition(run, batches, device);
        context.Out.WriteLine($"model: {run.Arch.ParameterCount:N0} parameters in {run.Pipeline.Stages} stage(s) {Describe(partition, run)}, {device}");

        var bubble = BubbleFormula(run);
        using var metrics = new MetricsLog(folder.Root);
        var trace = new TraceCollector(run.Impl.TraceSteps);
        var budget = new RunBudget(run.Train.BudgetUnit, run.Train.Budget);
        RunProtocol.Outcome outcome;
        var view = terminal ? (IRunObserver)new LiveView(context.Console, run.Name, budget, bubble) : new PlainView(context.Out, budget, bubble);
        try
        {
            outcome = await new LocalRun
            {
                Options = run.ToRunOptions(),
                Folder = folder,
                Batches = batches,
                Partition = partition,
                TokenizerHash = tokenizer?.Hash ?? "none",
                DataKey = data.Manifest.Key,
                Export = (manifest, store) => ModelExport.Write(folder.Root, manifest, store, tokenizer),
                Observer = new RunObservers(new ConfigLog(folder.Root, ConfigPrinter.Print(context.Configuration!)), metrics, trace, view),
                Cuda = device.Cuda,
                BFloat16 = device.BFloat16,
            }.Execute(stop).ConfigureAwait(false);
        }
        finally
        {
            (view as IDisposable)?.Dispose();
        }

        metrics.Dispose();
        if (outcome.Kind == OutcomeKind.Refused)
        {
            throw new RefusedException(outcome.Message);
        }

        RunReports.Write(context.Out, run, folder.Root, bubble, trace.Spans, outcome);
        if (outcome.Kind == OutcomeKind.Failed)
        {
            context.Error.WriteLine($"actortrainer: {run.Name} failed: {outcome.Message}");
        }

        return outcome.Kind == OutcomeKind.Completed ? App.Done : App.Failed;
    }

    private static MlmBatchSource Batches(RunConfiguration run, PreparedData data, SpecialTokens special)
    {
        var train = new MlmBatcher(data.Train, special, run.Arch.Vocabulary, run.Seed, run.Train.MlmProbability);
        var heldOut = new MlmBatcher(data.HeldOut, special, run.Arch.Vocabulary, run.Seed, run.Train.MlmProbability);
        return new MlmBatchSource(train, heldOut, data.Train.UnigramCounts, run.Arch.Sequence, train.MaskedPerRow, data.HeldOut.BlockCount);
    }

    private static StagePartition Partition(RunConfiguration run, MlmBatchSource batches, DeviceChoice device)
    {
        var units = UnitFactory.Count(run.Arch);
        var parts = run.Pipeline.Stages * run.Pipeline.Chunks;
        if (run.Pipeline.Cut.Count > 0)
        {
            return StagePartition.FromCut(run.Pipeline.Cut, units);
        }

        if (run.Pipeline.Partition == PartitionKind.Count || parts == 1 || parts == units)
        {
            return StagePartition.ByCount(units, parts);
        }

        var rows = Math.Min(run.Impl.MicroBatchSize, run.Train.BatchSize);
        return StagePartition.ByCost(
            UnitCosts.Measure(run.Arch, rows, batches.TargetsPerSequence, run.Impl.Threads, device.Device, device.BFloat16), parts);
    }

    private static string Describe(StagePartition partition, RunConfiguration run)
    {
        var names = UnitFactory.Names(run.Arch);
        return string.Join(" | ", partition.Parts.Select(part => part.Count == 1 ? names[part.First] : $"{names[part.First]} … {names[part.End - 1]}"));
    }

    /// <summary>Idle share that the schedule's formula gives for a full step; null for one stage, which has none.</summary>
    private static double? BubbleFormula(RunConfiguration run) => run.Pipeline.Stages == 1 ? null : ScheduleMath.BubbleFraction(
        run.Pipeline.Schedule, run.Pipeline.Stages, Math.Max(1, (run.Train.BatchSize + run.Impl.MicroBatchSize - 1) / run.Impl.MicroBatchSize), run.Pipeline.Chunks);
}
