using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.FineTuning;

/// <summary>One fine-tuning run, one task and one repeat, wherever its stages live.</summary>
/// <param name="Run">Its settings: a seed of its own, the recipe of the training split, its name and folder.</param>
/// <param name="Model">What it begins with.</param>
/// <param name="Shape">What it makes of that.</param>
/// <param name="Train">Rows to train on.</param>
/// <param name="Evaluation">Splits to score.</param>
/// <param name="Calibration">Polynomials instead of functions; null: exact functions.</param>
internal sealed record FineTunePlan(
    RunConfiguration Run, PretrainedModel Model, FineTuneShape Shape, EncodedSplit Train, IReadOnlyList<EncodedSplit> Evaluation, Calibration? Calibration)
{
    /// <summary>Makes the plan.</summary>
    /// <exception cref="RefusedException">The task's files, or the calibration, cannot be used.</exception>
    public static FineTunePlan Of(RunConfiguration run, PretrainedModel model, GlueInputs inputs, GlueTaskInfo task, int repeat)
    {
        var train = inputs.Train(task, model.Tokenizer, model.Arch.Sequence);
        var calibration = run.Eval.Functions == FunctionKind.Polynomial ? Polynomials.Load(run.Eval.Calibration, model.Source.Calibration, model.Source.Name) : null;
        var settings = run with
        {
            Name = FineTuneFolders.RunName(task, repeat),
            BaseDir = FineTuneFolders.Of(run),
            Seed = CounterRandom.Key(run.Seed, RandomPurpose.FineTuning, (int)task.Task, repeat),
            Arch = model.Arch,
            Train = run.Eval.Recipe(train.Count),
        };
        return new FineTunePlan(
            settings, model, run.Eval.Shape(task.Name, task.Outputs), train, inputs.Evaluation(task, model.Tokenizer, model.Arch.Sequence), calibration);
    }

    /// <summary>Key of the training rows, for manifest and recipe.</summary>
    public string DataKey => $"{Train.Key}-{Run.Eval.Padding}-{(Run.Eval.Shuffle ? "shuffled" : "in-order")}";

    /// <summary>The run, as its coordinator and stages take it.</summary>
    /// <exception cref="RefusedException">The optimiser has no polynomial.</exception>
    public RunOptions Options() => Run.ToRunOptions() with { FineTune = Shape, Ranges = FineTuneParts.Ranges(Run, Calibration) };

    /// <summary>Micro-batches of the training rows.</summary>
    public GlueBatchSource Batches() => new(Train, null, Run.Seed, Run.Eval.Shuffle, Run.Eval.Padding);

    /// <summary>What is computed in place of functions; null: the functions. Counts its inputs, so every user has one of its own.</summary>
    public PolynomialFunctions? Functions() => Calibration is null ? null : new PolynomialFunctions(Calibration);
}
