using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Cli;
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

namespace ActorTrainer.Host.FineTuning;

/// <summary>One fine-tuning run: one task, one repeat.</summary>
internal sealed class FineTuneSession(
    CommandContext context, PretrainedModel model, GlueInputs inputs, PhaseProgress progress, GlueTaskInfo task, int repeat)
{
    private readonly RunConfiguration _run = context.Run;
    private readonly FineTuneShape _shape = context.Run.Eval.Shape(task.Name, task.Outputs);

    /// <summary>Trains, scores and reports; a complete run is left as it is.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> Run(CancellationToken stop)
    {
        var train = inputs.Train(task, model.Tokenizer, model.Arch.Sequence);
        var evaluation = inputs.Evaluation(task, model.Tokenizer, model.Arch.Sequence);
        var run = SettingsOf(train.Count);
        using var folder = RunFolder.Open(run.RunFolder);
        var device = DeviceChoice.Of(run.Impl);
        var store = new ContentStore(folder.Store);
        var weights = BaseModel.WriteUnits(model.Source, store);
        var batches = new GlueBatchSource(train, null, run.Seed, run.Eval.Shuffle, run.Eval.Padding);
        var partition = FineTuneParts.Partition(run, _shape, device);
        context.Out.WriteLine(
            $"{run.Name}: {train.Count:N0} training rows, {run.Train.Budget:N0} steps of {run.Train.BatchSize}, {FineTuneParts.Trainable(run.Arch, _shape):N0} trained parameters "
            + $"in {run.Pipeline.Stages} stage(s) {RunParts.Describe(partition, run)}, {device}");

        var calibration = run.Eval.Functions == FunctionKind.Polynomial ? Polynomials.Load(run.Eval.Calibration, model.Source.Calibration, model.Source.Name) : null;
        var functions = calibration is null ? null : new PolynomialFunctions(calibration);
        var reporting = new RunReporting(context with { Configuration = context.Configuration! with { Run = run } }, folder.Root, RunParts.BubbleFormula(run));
        var observer = new LockedObserver(reporting.Observer);
        await using var scoring = new Scoring(run, evaluation, store, Scoring.Recipe(run, _shape, device), functions);
        RunProtocol.Outcome outcome;
        IReadOnlyDictionary<FunctionSite, OutOfDomain>? outside = null;
        using (reporting)
        {
            outcome = await new LocalRun
            {
                Options = run.ToRunOptions() with { FineTune = _shape, Ranges = FineTuneParts.Ranges(run, calibration) },
                Folder = folder,
                Batches = batches,
                Partition = partition,
                TokenizerHash = model.Tokenizer.Hash,
                DataKey = $"{train.Key}-{run.Eval.Padding}-{(run.Eval.Shuffle ? "shuffled" : "in-order")}",
                Base = weights,
                Committed = run.Eval.Evaluators == 0 ? null : scoring.OnCommit(scores => observer.OnNotice(scores)),
                Export = (manifest, objects) =>
                {
                    outside = UnitRanges.Outside(RecordedRanges.Of(manifest, UnitFactory.Names(manifest.Arch), objects));
                    return FineTuneParts.Export(folder.Root, manifest, objects, _shape, run.Eval.Save, model.Tokenizer);
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

        var code = reporting.Finish(outcome);
        if (code == App.Done)
        {
            await Report(run, folder.Root, outcome, scoring).ConfigureAwait(false);
            if (functions is not null)
            {
                Polynomials.Report(context.Out, "scoring", functions.Outside);
            }
        }

        return code;
    }

    /// <summary>The run's own settings: a seed for task and repeat, the recipe of the training split, a folder of its own.</summary>
    private RunConfiguration SettingsOf(int rows) => _run with
    {
        Name = FineTuneFolders.RunName(task, repeat),
        BaseDir = FineTuneFolders.Of(_run),
        Seed = CounterRandom.Key(_run.Seed, RandomPurpose.FineTuning, (int)task.Task, repeat),
        Arch = model.Arch,
        Train = _run.Eval.Recipe(rows),
    };

    /// <summary>Scores what was saved, and keeps the result.</summary>
    private async Task Report(RunConfiguration run, string folder, RunProtocol.Outcome outcome, Scoring scoring)
    {
        var metrics = RunMetrics.Read(folder);
        var saved = outcome.Export.Length > 0 ? outcome.Export : CheckpointFolder.Latest(folder)
            ?? throw new RefusedException($"{folder} is complete, but its model is gone from checkpoints: remove the folder to run it again.");
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
            TrainableParameters = FineTuneParts.Trainable(run.Arch, _shape),
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
