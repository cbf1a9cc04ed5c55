using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>What is planned: a shape with made weights, or a run's model with its own.</summary>
internal sealed class PlanSubject : IDisposable
{
    private readonly EncryptedUnits _units;
    private readonly Func<string, EncryptedUnit> _build;
    private readonly string? _folder;

    private PlanSubject(EncryptedRecipe recipe, CkksParameters parameters, GlueTaskInfo task, IReadOnlyList<string> sources, PretrainedModel? model)
    {
        (Recipe, Parameters, Task, Sources) = (recipe, parameters, task, sources);
        _units = new EncryptedUnits(recipe, recipe.Packing(parameters));
        if (model is null)
        {
            _build = unit => _units.Create(unit, name => MadeModel.Weights(recipe.Arch, name));
            return;
        }

        var folder = _folder = Directory.CreateTempSubdirectory("actortrainer-plan-").FullName;
        try
        {
            var store = new ContentStore(folder);
            var files = BaseModel.WriteUnits(model.Source, store).ToDictionary(unit => unit.Key, unit => store.PathOf(unit.Value));
            _build = unit => _units.Create(unit, files[unit]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public EncryptedRecipe Recipe { get; }

    public CkksParameters Parameters { get; }

    public GlueTaskInfo Task { get; }

    public Packing Packing => _units.Packing;

    /// <summary>Where weights and polynomials come from, a phrase each.</summary>
    public IReadOnlyList<string> Sources { get; }

    /// <summary>Finds it: <c>arch=…</c> means a shape, else the run's model is meant.</summary>
    /// <param name="archGiven">Whether the user named a shape.</param>
    /// <exception cref="RefusedException">There is no such model or task, or it cannot be trained under encryption.</exception>
    public static PlanSubject Of(RunConfiguration run, bool archGiven)
    {
        var parameters = run.He.Parameters();
        var task = GlueTasks.Parse(run.Eval.Tasks.Count > 0 ? run.Eval.Tasks[0] : throw new RefusedException("eval.tasks=[] names no task; name one, e.g. eval.tasks=[rte]."));
        if (archGiven)
        {
            return Made(run, parameters, task);
        }

        PretrainedModel model;
        try
        {
            model = PretrainedModel.Of(run, archGiven: false);
        }
        catch (RefusedException e)
        {
            throw new RefusedException($"{e.Message} To plan a model that is not there yet, name its shape: arch=encryption-friendly.", e);
        }

        var arch = model.Arch;
        var (units, shape) = (Units(arch), run.Eval.Shape(task.Name, task.Outputs));
        var own = run.Eval.Calibration.Length > 0 ? run.Eval.Calibration : model.Source.Calibration;
        var calibration = own is null ? MadeModel.Calibration(units, shape.Outputs, run.Eval.Optim, parameters) : Calibration.Load(own);
        return new PlanSubject(
            RecipeOf(run, arch, shape, calibration), parameters, task, [$"weights of {model.Source.Name}", own is null ? $"{Published(parameters)}, as the model has no calibration" : $"polynomials of {own}"], model);
    }

    /// <summary>Plans it.</summary>
    public ModelPlan Plan(OperationCosts costs, CancellationToken stop) =>
        ModelPlan.Of(Parameters, Packing, Recipe.Units, unit => _folder is null && unit != "head" ? "layer" : unit, _build, Recipe.Shape.Outputs, costs, Recipe.Refreshing(Parameters), stop);

    public void Dispose()
    {
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static PlanSubject Made(RunConfiguration run, CkksParameters parameters, GlueTaskInfo task)
    {
        var arch = run.Eval.Arch(run.Arch);
        var shape = run.Eval.Shape(task.Name, task.Outputs);
        var named = run.Eval.Calibration.Length > 0;
        var calibration = named ? Calibration.Load(run.Eval.Calibration) : MadeModel.Calibration(Units(arch), shape.Outputs, run.Eval.Optim, parameters);
        return new PlanSubject(
            RecipeOf(run, arch, shape, calibration), parameters, task, ["made weights without zeros", named ? $"polynomials of {run.Eval.Calibration}" : Published(parameters)], null);
    }

    private static string Published(CkksParameters parameters) => MadeModel.Squarings(parameters) is var k && k == MadeModel.PublishedSquarings
        ? "published domains of functions"
        : $"published domains of functions, but the kernel's [−2^{k}, 0] instead of [−2^{MadeModel.PublishedSquarings}, 0], for which {parameters.Name} has too few levels";

    private static IReadOnlyList<string> Units(BertConfig arch) => [.. UnitFactory.Names(arch).Skip(1)];

    private static EncryptedRecipe RecipeOf(RunConfiguration run, BertConfig arch, FineTuneShape shape, Calibration calibration) =>
        Recipes.Of(run, arch, shape, PackingChoice.Of(run.He, arch, run.He.Parameters()), calibration);
}
