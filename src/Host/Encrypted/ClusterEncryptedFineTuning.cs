using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Host.Encrypted;

/// <summary>
/// Makes an encrypted run on the coordinator's node: model and calibration, encrypted data, and what the owner has published are read there. Nothing of it is secret.
/// </summary>
internal static class ClusterEncryptedFineTuning
{
    /// <summary>Prepares the run.</summary>
    /// <param name="job">Task and steps.</param>
    /// <param name="run">The owner's settings.</param>
    /// <param name="runs">Folder of the node's runs.</param>
    /// <param name="contexts">Those of this process.</param>
    /// <param name="resources">Takes what is freed when the run ends.</param>
    /// <param name="notice">Told what is being done.</param>
    /// <param name="cancellation">Somebody stops the run.</param>
    /// <exception cref="RefusedException">Model, files or settings cannot be used.</exception>
    public static PreparedRun Prepare(
        EncryptedFineTuneJob job, RunConfiguration run, string runs, CkksContexts contexts, HeldResources resources, Action<string> notice, CancellationToken cancellation)
    {
        var model = PretrainedModel.Of(run, job.ArchGiven);
        var encrypted = EncryptedJob.Of(run, model, job.Task);
        var (parameters, embedding) = (encrypted.Parameters, model.EmbeddingHash());
        var train = EncryptedDataset.Open(
            EncryptedDataset.FolderOf(EncryptedFolders.Data(run), job.Task.Name, GlueTaskInfo.Train), contexts.Open(parameters, run.He.ThreadCount()));
        var published = PublishedRun.Open(EncryptedFolders.Published(encrypted, train.Manifest.KeySha256, embedding));
        var program = resources.Add(EncryptedProgram.Of(encrypted, Path.Combine(published.Folder, PublishedRun.PlanName)));
        var recipe = program.Recipe;
        EncryptedCut.Given(run.Pipeline, recipe.Units.Count);
        var keys = published.Keys;
        train.Require(keys.KeySha256, embedding, job.Task.Name, encrypted.Packing);
        cancellation.ThrowIfCancellationRequested();

        var source = new EncryptedBatchSource(train, null, run.Seed, run.Eval.Shuffle);
        var folder = resources.Add(RunFolder.Open(ClusterPreparation.FolderIn(runs, job.NameOf(run))));
        var options = EncryptedTraining.Options(encrypted, job.NameOf(run), folder.Root, EncryptedTraining.Train(encrypted, source.EpochRows, job.Steps));
        var store = new ContentStore(folder.Store);
        var weights = BaseModel.WriteUnits(model.Source, store);
        var objects = recipe.Units.ToDictionary(unit => unit, unit => weights[unit]).Concat(published.Objects(store)).ToDictionary();
        notice($"{train.Manifest.Rows:N0} encrypted training rows, {options.Train.Budget:N0} steps of {options.Train.BatchSize}, {parameters.Name}, keys {keys.KeySha256[..16]}, data owner at {recipe.Owner}");
        return new PreparedRun
        {
            Options = options,
            Batches = source,
            Units = recipe.Units,
            UnitSeconds = EncryptedCut.Costs(recipe.Units.Count),
            UnitMemory = [.. recipe.Units.Select((unit, i) => EncryptedMemories.Unit(parameters, program.Packing, program.Units.Layout(unit), isHead: i == recipe.Units.Count - 1))],
            StageMemory = EncryptedMemories.Stage(parameters, keys.Requests, recipe),
            Recipe = RunRecipe.Of(options, model.Tokenizer.Hash, keys.KeySha256, cuda: false, bFloat16: false, objects),
            StageRecipe = (program.StageRecipe with { Bounds = published.Bounds }).ToJson(),
            Base = new PretrainedObjects(objects, store),
            Tied = false,
            Describe = (position, states) => RunManifest.Of(options, source.TokensPerSequence, model.Tokenizer.Hash, keys.KeySha256, position, states),
            Export = (manifest, states) => EncryptedModelFolder.Write(folder.Root, manifest, states, recipe, keys.KeySha256, embedding),
            Observer = new RunObservers(),
            Resources = resources,
        };
    }
}
