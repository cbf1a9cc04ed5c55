using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.FineTuning;

/// <summary><c>export</c>: a task's examples, embedded and padded, for encryption.</summary>
internal static class ExportCommand
{
    /// <summary>Exports train and the labelled splits of every task.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System);
        var model = PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words));
        var inputs = new GlueInputs(run, progress);
        var folder = context.Option("out") ?? Path.Combine(run.RunFolder, "export");
        TorchThreads.Use(1); // blocks are small: a second thread gains nothing
        using var embedding = model.LoadEmbedding();
        foreach (var task in run.Eval.Tasks.Select(GlueTasks.Parse))
        {
            IReadOnlyList<EncodedSplit> splits =
            [
                inputs.Train(task, model.Tokenizer, model.Arch.Sequence),
                .. inputs.Evaluation(task, model.Tokenizer, model.Arch.Sequence),
            ];
            var plan = new ExportPlan
            {
                Model = model.Source.Name,
                Arch = model.Arch,
                Embedding = embedding,
                TokenizerHash = model.Tokenizer.Hash,
                Splits = [.. splits],
            };
            var written = DataExport.Write(
                folder,
                plan,
                done => progress.Report($"{task.Name} {done.Split}: {done.Rows:N0} of {done.Count:N0} rows {(done.IsVerifying ? "verified" : "written")}"),
                stop);
            foreach (var split in written)
            {
                progress.Done($"{task.Name} {Path.GetFileName(split.Folder)}: {split.ShardsWritten + split.ShardsKept} file(s), {split.ShardsKept} of them kept, in {split.Folder}");
            }
        }

        return Task.FromResult(App.Done);
    }
}
