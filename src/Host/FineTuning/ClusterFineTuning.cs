using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Makes a fine-tuning run on the coordinator's node: weights, rows and tokenizer are read there, and its evaluators score checkpoints there.</summary>
internal static class ClusterFineTuning
{
    /// <summary>Prepares the run.</summary>
    /// <param name="job">Task and repeat.</param>
    /// <param name="run">The client's settings.</param>
    /// <param name="runs">Folder of the node's runs.</param>
    /// <param name="resources">Takes what is freed when the run ends.</param>
    /// <param name="notice">Told what is being done.</param>
    /// <param name="cancellation">Somebody stops the run.</param>
    /// <exception cref="RefusedException">Model, files or settings cannot be used.</exception>
    public static PreparedRun Prepare(
        FineTuneJob job, RunConfiguration run, string runs, HeldResources resources, Action<string> notice, CancellationToken cancellation)
    {
        var progress = new PhaseProgress(new NoticeWriter(notice), terminal: false, TimeProvider.System);
        var model = PretrainedModel.Of(run, job.ArchGiven);
        var made = FineTunePlan.Of(run, model, new GlueInputs(run, progress), job.Task, job.Repeat);
        var plan = made with { Run = made.Run with { Name = job.NameOf(run), BaseDir = runs } };
        cancellation.ThrowIfCancellationRequested();

        var settings = plan.Run;
        var folder = resources.Add(RunFolder.Open(settings.RunFolder));
        var device = ClusterPreparation.DeviceOf(settings);
        FineTuneParts.RequireCut(settings);
        var options = plan.Options();
        var batches = plan.Batches();
        var weights = new ContentStore(folder.Store);
        var pretrained = new PretrainedObjects(BaseModel.WriteUnits(model.Source, weights), weights);
        notice($"{plan.Train.Count:N0} training rows, {settings.Train.Budget:N0} steps of {settings.Train.BatchSize}, "
            + $"{FineTuneParts.Trainable(settings.Arch, plan.Shape):N0} trained parameters, {device}");
        return new PreparedRun
        {
            Options = options,
            Batches = batches,
            Units = UnitFactory.Names(settings.Arch),
            UnitSeconds = FineTuneParts.MeasureUnits(settings, plan.Shape, device),
            UnitMemory = UnitMemories.OfFineTuning(settings.Arch, plan.Shape, RunParts.RowsOf(settings), settings.Impl.Recompute),
            Recipe = RunRecipe.Of(options, model.Tokenizer.Hash, plan.DataKey, device.Cuda, device.BFloat16, pretrained.Units),
            StageRecipe = TensorStageRecipe.Of(options, device.Cuda, device.BFloat16).ToJson(),
            Base = pretrained,
            Tied = false,
            OnCommit = settings.Eval.Evaluators == 0 ? null : (store, observer) =>
            {
                var scoring = new Scoring(settings, plan.Evaluation, store, Scoring.Recipe(settings, plan.Shape, device), plan.Functions());
                resources.Add(new InBackground(scoring));
                return scoring.OnCommit(observer.OnNotice);
            },
            Describe = (position, objects) => RunManifest.Of(options, batches.TokensPerSequence, model.Tokenizer.Hash, plan.DataKey, position, objects),
            Export = (manifest, store) =>
            {
                var outside = FineTuneParts.Outside(manifest, store);
                if (outside.Count > 0)
                {
                    Polynomials.Report(new NoticeWriter(notice), "training", outside);
                }

                return FineTuneParts.Export(folder.Root, manifest, store, plan.Shape, settings.Eval.Save, model.Tokenizer);
            },
            Observer = new RunObservers(),
            Resources = resources,
        };
    }

    /// <summary>Ends evaluators without waiting for the one at work: whoever frees a run must not wait.</summary>
    private sealed class InBackground(IAsyncDisposable ends) : IDisposable
    {
        public void Dispose() => _ = Task.Run(async () => await ends.DisposeAsync().ConfigureAwait(false));
    }
}
