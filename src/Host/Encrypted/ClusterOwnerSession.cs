using ActorTrainer.Actors;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.FineTuning;

namespace ActorTrainer.Host.Encrypted;

/// <summary>
/// The data owner of a run that a cluster trains: publishes what the stages begin with, answers their refreshes at he.owner, and looks on. Keys, labels and losses stay in
/// this process.
/// </summary>
/// <param name="context">The command.</param>
/// <param name="inputs">What the owner brings.</param>
/// <param name="folder">Folder of what the owner sees of the run, held by the caller.</param>
/// <param name="cluster">Where it is trained.</param>
internal sealed class ClusterOwnerSession(CommandContext context, EncryptedInputs inputs, RunFolder folder, ICluster cluster)
{
    private static readonly ClusterRunWords Words = new(
        "the cluster has the run, and asks this process for refreshes; without it the run waits",
        "the data owner leaves, and the run waits for it. The same command goes on");

    private static readonly ClusterRunWords OfflineWords = new(
        "the cluster has the run and all that it needs: this process only looks on, and may be stopped",
        "the data owner leaves, and the run goes on without. The same command looks on again");

    private EncryptedJob Job => inputs.Job;

    /// <summary>Has the run trained, until it ends or this process is asked to.</summary>
    /// <param name="train">Training micro-batches.</param>
    /// <param name="examples">What the owner keeps of them.</param>
    /// <param name="steps">Steps; 0: as many as eval.epochs come to.</param>
    /// <returns>The exit code and, where the run has come to its end, the folder of the encrypted model on the coordinator's node.</returns>
    public async Task<(int Code, string? Model)> Train(EncryptedDataset train, OwnerExamples examples, long steps, CancellationToken stop)
    {
        ClusterRun.CheckFolder(folder);
        var run = Job.Run;
        EncryptedCut.Given(run.Pipeline, inputs.Program.Recipe.Units.Count);
        var job = new EncryptedFineTuneJob(Job.Task, steps, PretrainedModel.IsArchGiven(context.Words));
        var name = job.NameOf(run);
        var source = new EncryptedBatchSource(train, null, run.Seed, run.Eval.Shuffle);
        var options = EncryptedTraining.Options(Job, name, folder.Root, EncryptedTraining.Train(Job, source.EpochRows, steps));
        using var owner = OwnerOfRun.Of(inputs, source, examples, options.Train.BatchSize / Job.Packing.Batch);
        var isNeeded = run.He.Refresh != RefreshKind.Bootstrap;
        using var network = isNeeded ? OwnerPort.Open(run.Cluster, run.He.Owner, reason => context.Error.WriteLine($"actortrainer: {reason}")) : null;
        network?.Serve(PeerPurpose.Refresh, owner.Server.Handle);
        Publish(new TrainedModel("", options with { Seed = EncryptedTraining.Seed(Job) }, source), examples);
        network?.Listen();

        var settings = RunSettings.Write(job, context.Configuration!, Job.Model.Source.Name, Environment.CurrentDirectory);
        var own = context with { Configuration = context.Configuration! with { Run = run with { Name = name, Train = options.Train, Impl = options.Impl } } };
        var reporting = new RunReporting(own, folder.Root, bubble: null, followed: true);
        var outcome = await ClusterRun.Follow(context, cluster, name, settings, reporting, stop, observer => isNeeded ? new OwnerView(observer, owner.Ledger) : observer, isNeeded ? Words : OfflineWords).ConfigureAwait(false);
        var code = outcome is null ? App.Failed : reporting.Finish(outcome);
        OwnerReport.WriteRefreshes(context.Out, owner.Status);
        OwnerReport.WriteWarnings(context.Out, owner.Status);
        StepTables.WriteLevels(context.Out, inputs.Program.Plan);
        StepTables.WriteStages(context.Out, folder.Root);
        return (code, code == App.Done ? outcome!.Export.Length > 0 ? outcome.Export : $"in checkpoints of {name}" : null);
    }

    private void Publish(TrainedModel planned, OwnerExamples examples)
    {
        using var cipher = new AdapterCipher(inputs.Keys.Context, inputs.Keys.Secret, inputs.Program.Refreshing.Floor);
        var (program, seed) = (inputs.Program, EncryptedTraining.Seed(Job));
        PublishedRun.Write(
            EncryptedFolders.Published(Job, inputs.Keys.Manifest.KeySha256, inputs.EmbeddingHash),
            inputs.Keys.Folder,
            program.Plan,
            (unit, stream) => cipher.Write(stream, program.Units.Layout(unit), EncryptedObjects.Initial(program.Recipe, unit, seed)),
            program.Refreshing.Bootstraps ? () => TwinSteps.Bounds(inputs, planned, examples) : null);
    }
}
