using ActorTrainer.Actors;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.Reports;
using ActorTrainer.Host.Reports.Glue;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Host.FineTuning;

/// <summary>One fine-tuning run: one task, one repeat.</summary>
/// <param name="cluster">Where it is trained; null: in this process.</param>
internal sealed class FineTuneSession(
    CommandContext context, PretrainedModel model, GlueInputs inputs, PhaseProgress progress, GlueTaskInfo task, int repeat, ICluster? cluster)
{
    private readonly RunConfiguration _run = context.Run;
    private readonly FineTunePlan _plan = FineTunePlan.Of(context.Run, model, inputs, task, repeat);

    /// <summary>Trains, scores and reports; a complete run is left as it is.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> Run(CancellationToken stop)
    {
        var run = _plan.Run;
        using var folder = RunFolder.Open(run.RunFolder);
        var device = DeviceChoice.Of(run.Impl);
        var what = $"{run.Name}: {_plan.Train.Count:N0} training rows, {run.Train.Budget:N0} steps of {run.Train.BatchSize}, "
            + $"{FineTuneParts.Trainable(run.Arch, _plan.Shape):N0} trained parameters";
        var own = context with { Configuration = context.Configuration! with { Run = run } };
        var functions = _plan.Functions();
        await using var scoring = new Scoring(
            run, _plan.Evaluation, cluster is null ? new ContentStore(folder.Store) : null, Scoring.Recipe(run, _plan.Shape, device), functions);
        RunReporting reporting;
        RunProtocol.Outcome? outcome;
        if (cluster is null)
        {
            var partition = FineTuneParts.Partition(run, _plan.Shape, device);
            context.Out.WriteLine($"{what} in {run.Pipeline.Stages} stage(s) {RunParts.Describe(partition, run)}, {device}");
            reporting = new RunReporting(own, folder.Root, RunParts.BubbleFormula(run));
            outcome = await Here(folder, device, partition, scoring, reporting, stop).ConfigureAwait(false);
        }
        else
        {
            ClusterRun.CheckFolder(folder);
            context.Out.WriteLine(what);
            var job = new FineTuneJob(task, repeat, PretrainedModel.IsArchGiven(context.Words));
            var settings = RunSettings.Write(job, context.Configuration!, model.Source.Name, Environment.CurrentDirectory);
            reporting = new RunReporting(own, folder.Root, bubble: null, followed: true);
            outcome = await ClusterRun.Follow(context, cluster, job.NameOf(_run), settings, reporting, stop).ConfigureAwait(false);
        }

        var code = outcome is null ? App.Failed : reporting.Finish(outcome);
        if (code == App.Done)
        {
            await Report(folder.Root, outcome!, scoring).ConfigureAwait(false);
            if (functions is not null)
            {
                Polynomials.Report(context.Out, "scoring", functions.Outside);
            }
        }

        return code;
    }

    private async Task<RunProtocol.Outcome> Here(
        RunFolder folder, DeviceChoice device, StagePartition partition, Scoring scoring, RunReporting reporting, CancellationToken stop)
    {
        RunProtocol.Outcome outcome;
        IReadOnlyDictionary<FunctionSite, OutOfDomain>? outside = null;
        using (reporting)
        {
            var observer = new LockedObserver(reporting.Observer);
            outcome = await new LocalRun
            {
                Options = _plan.Options(),
                Folder = folder,
                Batches = _plan.Batches(),
                Partition = partition,
                TokenizerHash = model.Tokenizer.Hash,
                DataKey = _plan.DataKey,
                Base = BaseModel.WriteUnits(model.Source, new ContentStore(folder.Store)),
                Committed = _plan.Run.Eval.Evaluators == 0 ? null : scoring.OnCommit(observer.OnNotice),
                Export = (manifest, objects) =>
                {
                    outside = FineTuneParts.Outside(manifest, objects);
                    return FineTuneParts.Export(folder.Root, manifest, objects, _plan.Shape, _plan.Run.Eval.Save, model.Tokenizer);
                },
                Observer = observer,
                Cuda = device.Cuda,
                BFloat16 = device.BFloat16,
            }.Execute(stop).ConfigureAwait(false);
            await scoring.Settled().ConfigureAwait(false);
        }

        if (outside is { Count: > 0 })
        {
            Polynomials.Report(context.Out, "training", outside);
        }

        return outcome;
    }

    /// <summary>Scores what was saved, and keeps the result.</summary>
    private async Task Report(string folder, RunProtocol.Outcome outcome, Scoring scoring)
    {
        var run = _plan.Run;
        var metrics = RunMetrics.Read(folder);
        var saved = outcome.Export.Length > 0 ? outcome.Export : CheckpointFolder.Latest(folder)
            ?? throw new RefusedException($"{folder} is complete, but its model is gone from checkpoints: remove the folder to run it again.");
        if (!Directory.Exists(saved))
        {
            progress.Done($"  the model is in {saved} of the coordinator's node: bring it here and score it with `actortrainer evaluate model=FOLDER`");
            return;
        }

        var scores = await scoring.OfFolder(saved).ConfigureAwait(false);
        var result = new GlueResult
        {
            Run = Path.GetRelativePath(_run.BaseDir, folder),
            Task = task.Name,
            Method = run.Eval.MethodName,
            Kernel = run.Arch.Attention == AttentionKind.Softmax ? "softmax" : "gaussian-kernel",
            Checkpoint = model.Source.Name,
            Repeat = repeat,
            Seed = run.Seed,
            Epochs = run.Eval.Epochs,
            Steps = metrics.Steps.Count > 0 ? metrics.Steps[^1].Step : 0,
            Seconds = metrics.Steps.Sum(step => step.Seconds),
            TrainableParameters = FineTuneParts.Trainable(run.Arch, _plan.Shape),
            LearningRate = run.Eval.Optim.LearningRate,
            Scores = scores,
        };
        GlueReports.SaveResult(folder, result);
        foreach (var score in scores)
        {
            progress.Done($"  {score.Split,-14}  {Scoring.Describe(score)}");
        }
    }
}
