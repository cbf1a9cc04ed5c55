using System.Globalization;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>encrypt</c>: exported data, encrypted for the cluster.</summary>
/// <param name="levels">The levels that a task's program needs its data at.</param>
/// <param name="orderSeed">A secret seed of the training rows' order, for a split that has none yet.</param>
/// <param name="time">Clock.</param>
internal sealed class EncryptCommand(Func<EncryptedJob, EncryptionLevels> levels, Func<ulong> orderSeed, TimeProvider time)
{
    /// <summary>Encrypts train and the labelled splits of every task.</summary>
    public Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var progress = new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, time);
        var model = PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words));
        var jobs = EncryptedJob.All(run, model);
        using var keys = EncryptedInputs.OpenKeys(jobs[0], model.EmbeddingHash(), run.He.ThreadCount());

        var rows = Counts.Parse("rows", context.Option("rows"));
        var from = context.Option("from") ?? EncryptedFolders.Export(run);
        var at = jobs.ToDictionary(job => job.Task.Name, levels);
        foreach (var (job, split) in jobs.SelectMany(job => job.Task.EvaluationSplits.Prepend(GlueTaskInfo.Train).Select(split => (job, split))))
        {
            using var source = ExportReader.Open(DataExport.FolderOf(from, job.Task.Name, split));
            var pace = new Pace(time);
            var kept = 0;
            var plan = new EncryptionPlan
            {
                Source = source,
                Keys = keys,
                Folder = EncryptedDataset.FolderOf(EncryptedFolders.Data(run), job.Task.Name, split),
                OwnerFile = OwnerExamples.FileOf(EncryptedFolders.Examples(run), job.Task.Name, split),
                Packing = job.Packing,
                Levels = at[job.Task.Name],
                Training = split == GlueTaskInfo.Train,
                OrderSeed = orderSeed(),
                MostRows = MostRows(run.Eval.TrainRows, rows, split),
            };
            var written = EncryptedDatasetWriter.Write(plan, done => progress.Report(Describe(done)), stop);
            progress.Done(Summary(plan.Folder, written));

            string Describe(EncryptionProgress done)
            {
                if (done.IsVerifying)
                {
                    (kept, pace) = (done.MicroBatches, new Pace(time));
                    return $"{job.Task.Name} {split}: {done.MicroBatches:N0} of {done.Count:N0} micro-batches verified";
                }

                return $"{job.Task.Name} {split}: {done.MicroBatches:N0} of {done.Count:N0} micro-batches encrypted, {pace.Describe(done.Bytes, done.MicroBatches - kept, done.Count - kept)}";
            }
        }

        return Task.FromResult(App.Done);
    }

    /// <summary>What the settings leave of a split; 0: all.</summary>
    private static int MostRows(int trainRows, long rows, string split)
    {
        var most = split == GlueTaskInfo.Train && trainRows > 0 ? trainRows : int.MaxValue;
        most = rows > 0 ? (int)Math.Min(most, rows) : most;
        return most == int.MaxValue ? 0 : most;
    }

    private static string Summary(string folder, EncryptedSplit split)
    {
        var manifest = split.Manifest;
        var bytes = manifest.Shards.Sum(shard => shard.File.Bytes);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{manifest.Task} {manifest.Split}: {manifest.Rows:N0} of {manifest.SourceRows:N0} rows, {manifest.PaddedRows / manifest.Packing.Batch:N0} micro-batches of {manifest.Packing.Batch}, {bytes / 1e6:N0} MB in {manifest.Shards.Count} file(s), {split.ShardsKept} of them kept, in {folder}");
    }
}
