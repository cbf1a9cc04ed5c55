using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The program that stages run for a job: its recipe, its units from the base's weights, and its plan.</summary>
internal sealed class EncryptedProgram : IDisposable
{
    private readonly string _folder;
    private readonly Lazy<Dictionary<string, string>> _files;
    private readonly Lazy<EncryptedPlan> _plan;

    private EncryptedProgram(EncryptedJob job, string folder)
    {
        (Job, _folder, Recipe) = (job, folder, RecipeOf(job));
        Units = new EncryptedUnits(Recipe, job.Packing.Of(job.Parameters));
        _files = new(WriteFiles);
        _plan = new(() => EncryptedPlan.Of(job.Parameters, Packing, NewModel, job.Shape.Outputs, refreshing: Recipe.Refreshing(job.Parameters)));
    }

    public EncryptedJob Job { get; }

    public EncryptedRecipe Recipe { get; private set; }

    public EncryptedUnits Units { get; }

    public Packing Packing => Units.Packing;

    /// <summary>One step on paper, of one micro-batch: keys, levels and sites are those of any number.</summary>
    public EncryptedPlan Plan => _plan.Value;

    /// <summary>Reads what the program follows from.</summary>
    /// <exception cref="RefusedException">Model, calibration or settings cannot be trained under encryption; says what to do.</exception>
    public static EncryptedProgram Of(EncryptedJob job)
    {
        var folder = Directory.CreateTempSubdirectory("actortrainer-program-").FullName;
        try
        {
            return new EncryptedProgram(job, folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Has stages bootstrap by bounds that the owner has found.</summary>
    public void Bind(IReadOnlyDictionary<string, double> bounds) => Recipe = Recipe with { Bounds = bounds };

    /// <summary>The plan of a job.</summary>
    public static EncryptedPlan PlanOf(EncryptedJob job)
    {
        using var program = Of(job);
        return program.Plan;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static EncryptedRecipe RecipeOf(EncryptedJob job)
    {
        var he = job.Run.He;
        return new EncryptedRecipe
        {
            Arch = job.Arch,
            Shape = job.Shape,
            Optim = job.Run.Eval.Optim,
            Set = he.Set,
            AllowInsecure = he.AllowInsecure,
            Tokens = job.Packing.Tokens,
            Batch = job.Packing.Batch,
            Calibration = job.Calibration().ToJson(),
            Threads = he.ThreadCount(),
            CacheMiB = he.Cache,
            Owner = he.Owner,
            Refresh = he.Refresh,
        }.Validate();
    }

    /// <summary>The model with the base's weights, and nothing learned yet.</summary>
    public EncryptedModel NewModel()
    {
        var files = _files.Value;
        return new EncryptedModel(
            [.. Recipe.Units.SkipLast(1).Select(unit => (EncryptedLayerUnit)Units.Create(unit, files[unit]))],
            (EncryptedHeadUnit)Units.Create(Recipe.Units[^1], files[Recipe.Units[^1]]));
    }

    private Dictionary<string, string> WriteFiles()
    {
        var store = new ContentStore(_folder);
        return BaseModel.WriteUnits(Job.Model.Source, store).ToDictionary(unit => unit.Key, unit => store.PathOf(unit.Value));
    }
}
