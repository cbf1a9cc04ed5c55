using ActorTrainer.Actors;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cluster;

/// <summary>
/// Makes a run on the coordinator's node from what a client submitted. Its files lie in <c>runs/NAME</c> of the node's folder, apart from
/// those of a client that looks on from the same machine.
/// </summary>
/// <param name="library">Configuration files, for the keys and their checks.</param>
/// <param name="nodeFolder">Folder of the node.</param>
/// <param name="contexts">Those of the node's stages, with which its coordinator reads encrypted data.</param>
/// <param name="say">Told what happens in runs, for people who watch the node.</param>
/// <param name="observers">Told of all runs too.</param>
internal sealed class ClusterPreparation(ConfigLibrary library, string nodeFolder, CkksContexts contexts, Action<string> say, params IReadOnlyList<IRunObserver> observers)
    : IRunPreparation
{
    /// <summary>Folder of a run on its coordinator's node.</summary>
    public static string FolderOf(string nodeFolder, string name) => FolderIn(Path.Combine(nodeFolder, "runs"), name);

    /// <summary>Folder of a run in that of all runs.</summary>
    public static string FolderIn(string runs, string name) => Path.Combine(runs, name);

    /// <inheritdoc/>
    public PreparedRun Prepare(string name, string settings, Action<string> notice, CancellationToken cancellation)
    {
        var resolved = RunSettings.Read(library, settings);
        var encrypted = EncryptedFineTuneJob.Of(settings);
        var job = encrypted is null ? FineTuneJob.Of(settings) : null;
        var folder = Path.GetDirectoryName(FolderOf(nodeFolder, name))!;
        if ((encrypted?.NameOf(resolved.Run) ?? job?.NameOf(resolved.Run) ?? resolved.Run.Name) is var expected && expected != name)
        {
            throw new RefusedException($"The settings are those of run '{expected}', but '{name}' was submitted: submit it again.");
        }

        var resources = new HeldResources();
        try
        {
            var prepared = encrypted is not null ? ClusterEncryptedFineTuning.Prepare(encrypted, resolved.Run, folder, contexts, resources, notice, cancellation)
                : job is null ? Prepare(resolved.Run with { BaseDir = folder }, resources, notice, cancellation)
                : ClusterFineTuning.Prepare(job, resolved.Run, folder, resources, notice, cancellation);
            var root = prepared.Options.Folder;
            return prepared with
            {
                Observer = new LockedObserver(new RunObservers(
                    [.. observers, new ConfigLog(root, ConfigPrinter.Print(resolved)), resources.Add(new MetricsLog(root)), new NodeEvents(name, say)])),
            };
        }
        catch
        {
            resources.Dispose();
            throw;
        }
    }

    private static PreparedRun Prepare(RunConfiguration run, HeldResources resources, Action<string> notice, CancellationToken cancellation)
    {
        var folder = resources.Add(RunFolder.Open(run.RunFolder));
        var device = DeviceOf(run);
        var progress = new PhaseProgress(new NoticeWriter(notice), terminal: false, TimeProvider.System);
        var tokenizer = CorpusPreparation.Tokenizer(run, progress, cancellation);
        var data = resources.Add(CorpusPreparation.Data(run, tokenizer, progress, cancellation));
        var batches = RunParts.Batches(run, data, tokenizer);
        cancellation.ThrowIfCancellationRequested();

        var options = run.ToRunOptions();
        var (tokenizerHash, dataKey) = (tokenizer?.Hash ?? "none", data.Manifest.Key);
        notice($"model: {run.Arch.ParameterCount:N0} parameters in {UnitFactory.Count(run.Arch)} units, {device}");
        return new PreparedRun
        {
            Options = options,
            Batches = batches,
            Units = UnitFactory.Names(run.Arch),
            UnitSeconds = RunParts.MeasureUnits(run, batches, device),
            UnitMemory = UnitMemories.Of(run.Arch, RunParts.RowsOf(run), batches.TargetsPerSequence, run.Impl.Recompute),
            Recipe = RunRecipe.Of(options, tokenizerHash, dataKey, device.Cuda, device.BFloat16),
            StageRecipe = TensorStageRecipe.Of(options, device.Cuda, device.BFloat16).ToJson(),
            Describe = (position, objects) => RunManifest.Of(options, batches.TokensPerSequence, tokenizerHash, dataKey, position, objects),
            Export = (manifest, store) => ModelExport.Write(folder.Root, manifest, store, tokenizer),
            Observer = new RunObservers(),
            Resources = resources,
        };
    }

    /// <summary>
    /// What the recipe records and every stage computes with. Nodes may differ, so a device is used only when it was asked for by name.
    /// </summary>
    internal static DeviceChoice DeviceOf(RunConfiguration run) =>
        DeviceChoice.Of(run.Impl.Device == DeviceKind.Auto ? run.Impl with { Device = DeviceKind.Cpu } : run.Impl);
}
