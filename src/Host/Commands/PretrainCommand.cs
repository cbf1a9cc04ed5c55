using ActorTrainer.Actors;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.FineTuning;

namespace ActorTrainer.Host.Commands;

/// <summary><c>pretrain</c> and <c>dev</c>: prepare, train, report.</summary>
internal static class PretrainCommand
{
    /// <summary>Runs <c>pretrain</c>.</summary>
    public static Task<int> Pretrain(CommandContext context, CancellationToken stop) => Run(context, stop);

    /// <summary>Runs <c>dev</c>: the same, then fine-tuning on a sample task, in the clear and encrypted, and a word on what to do next.</summary>
    /// <param name="encrypted">Encrypted fine-tuning in small.</param>
    public static async Task<int> Dev(CommandContext context, Func<CommandContext, CancellationToken, Task<int>> encrypted, CancellationToken stop)
    {
        var code = await Run(context, stop).ConfigureAwait(false);
        if (code == App.Done && !stop.IsCancellationRequested && context.Run.Cluster.Seeds.Count == 0)
        {
            context.Out.WriteLine();
            code = await FineTuneCommand.Run(context, stop).ConfigureAwait(false);
            if (code == App.Done && !stop.IsCancellationRequested)
            {
                context.Out.WriteLine();
                code = await encrypted(context, stop).ConfigureAwait(false);
            }
        }

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
            var typed = context.Words.Where(word => !word.StartsWith("name=", StringComparison.Ordinal) && !word.StartsWith("pipeline", StringComparison.Ordinal) && !word.StartsWith("cluster", StringComparison.Ordinal));
            var baseDir = context.Words.FirstOrDefault(word => word.StartsWith("base_dir=", StringComparison.Ordinal));
            yield return ($"actortrainer {string.Join(' ', typed)} pipeline=single name={run.Name}-single", "the same model in one stage actor …");
            yield return ($"actortrainer compare-runs {run.Name} {run.Name}-single{(baseDir is null ? "" : " " + baseDir)}", "… ends with the same bits");
        }

        yield return ($"actortrainer finetune eval=GLUE_sane name={run.Name} eval.path=GLUE_FOLDER", "the same model on real tasks");
        yield return ("actortrainer pretrain --help", "real runs");
    }

    private static Task<int> Run(CommandContext context, CancellationToken stop) =>
        context.Run.Cluster.Seeds.Count > 0 ? SubmitCommand.Run(context, stop) : RunHere(context, stop);

    private static async Task<int> RunHere(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        using var folder = RunFolder.Open(run.RunFolder);

        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
        var device = DeviceChoice.Of(run.Impl);
        var tokenizer = CorpusPreparation.Tokenizer(run, progress, stop);
        using var data = CorpusPreparation.Data(run, tokenizer, progress, stop);
        var batches = RunParts.Batches(run, data, tokenizer);
        var partition = RunParts.Partition(run, batches, device);
        context.Out.WriteLine($"model: {run.Arch.ParameterCount:N0} parameters in {run.Pipeline.Stages} stage(s) {RunParts.Describe(partition, run)}, {device}");

        var reporting = new RunReporting(context, folder.Root, RunParts.BubbleFormula(run));
        RunProtocol.Outcome outcome;
        using (reporting)
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
                Observer = reporting.Observer,
                Cuda = device.Cuda,
                BFloat16 = device.BFloat16,
            }.Execute(stop).ConfigureAwait(false);
        }

        return reporting.Finish(outcome);
    }
}
