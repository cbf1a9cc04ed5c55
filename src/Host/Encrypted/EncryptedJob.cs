using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Parameters;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.Encrypted;

/// <summary>What the encrypted fine-tuning of one task is made of: all that its program, and so its keys and levels, follow from.</summary>
/// <param name="Run">Its settings.</param>
/// <param name="Model">What it begins with.</param>
/// <param name="Task">The task.</param>
/// <param name="Parameters">Of the encryption.</param>
/// <param name="Packing">Where numbers lie.</param>
internal sealed record EncryptedJob(RunConfiguration Run, PretrainedModel Model, GlueTaskInfo Task, CkksParameters Parameters, PackingShape Packing)
{
    /// <summary>Shape of the base model.</summary>
    public BertConfig Arch => Model.Arch;

    /// <summary>What fine-tuning makes of it.</summary>
    public FineTuneShape Shape => Run.Eval.Shape(Task.Name, Task.Outputs);

    /// <summary>A job for each of <c>eval.tasks</c>.</summary>
    /// <exception cref="RefusedException">There is no model, or it does not fit the parameters.</exception>
    public static IReadOnlyList<EncryptedJob> All(RunConfiguration run, PretrainedModel model)
    {
        var parameters = run.He.Parameters();
        var packing = PackingChoice.Of(run.He, model.Arch, parameters);
        return run.Eval.Tasks.Count > 0
            ? [.. run.Eval.Tasks.Select(name => new EncryptedJob(run, model, GlueTasks.Parse(name), parameters, packing))]
            : throw new RefusedException("eval.tasks=[] names no task; name one or more, e.g. eval.tasks=[rte].");
    }

    /// <summary>The job of one task.</summary>
    /// <exception cref="RefusedException">The model does not fit the parameters.</exception>
    public static EncryptedJob Of(RunConfiguration run, PretrainedModel model, GlueTaskInfo task)
    {
        var parameters = run.He.Parameters();
        return new EncryptedJob(run, model, task, parameters, PackingChoice.Of(run.He, model.Arch, parameters));
    }

    /// <summary>The polynomials of its functions: <c>eval.calibration</c>, or those beside the model.</summary>
    /// <exception cref="RefusedException">There are none, or they cannot be read.</exception>
    public Calibration Calibration() => Polynomials.Load(Run.Eval.Calibration, Model.Source.Calibration, Model.Source.Name);
}
