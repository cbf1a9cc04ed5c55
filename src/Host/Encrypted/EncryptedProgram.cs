using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;

namespace ActorTrainer.Host.Encrypted;

/// <summary>The program that stages run for a job: its recipe, its units from the base's weights, and its plan.</summary>
internal sealed class EncryptedProgram : IDisposable
{
    private readonly string _planFile;
    private readonly bool _keeps;
    private readonly Lazy<(string Folder, IReadOnlyDictionary<string, string> Files)> _base;
    private readonly Lazy<EncryptedPlan> _plan;

    private EncryptedProgram(EncryptedJob job, string planFile, bool keeps)
    {
        (Job, Recipe, _planFile, _keeps) = (job, Recipes.Of(job.Run, job.Arch, job.Shape, job.Packing, job.Calibration()), planFile, keeps);
        Units = new EncryptedUnits(Recipe, job.Packing.Of(job.Parameters));
        (_base, _plan) = (new(WriteFiles), new(FindPlan));
    }

    public EncryptedJob Job { get; }

    /// <summary>Without the keys of the units, for which a plan is needed.</summary>
    public EncryptedRecipe Recipe { get; private set; }

    /// <summary>Who refreshes, and how far.</summary>
    public Refreshing Refreshing => (Recipe.Refresh == RefreshKind.Owner ? Recipe : Recipe with { Reach = Plan.Reach }).Refreshing(Job.Parameters);

    /// <summary>As stages get it.</summary>
    public EncryptedRecipe StageRecipe => Recipe with { Keys = Plan.Units.ToDictionary(unit => unit.Name, unit => unit.Keys), Reach = Plan.Reach };

    public EncryptedUnits Units { get; }

    public Packing Packing => Units.Packing;

    /// <summary>Keys, levels and sites of training steps: found in a file, or made.</summary>
    public EncryptedPlan Plan => _plan.Value;

    /// <summary>Reads what the owner's program follows from. Its plan is kept beside the keys.</summary>
    /// <exception cref="RefusedException">Model, calibration or settings cannot be trained under encryption; says what to do.</exception>
    public static EncryptedProgram Of(EncryptedJob job) => new(job, EncryptedFolders.Plan(job.Run, job.Task), keeps: true);

    /// <summary>The same on a node, which may find a plan and keeps none.</summary>
    /// <param name="planFile">Where the owner's plan was published.</param>
    /// <inheritdoc cref="Of(EncryptedJob)" path="/exception"/>
    public static EncryptedProgram Of(EncryptedJob job, string planFile) => new(job, planFile, keeps: false);

    /// <summary>Has stages bootstrap by bounds that the owner has found.</summary>
    public void Bind(IReadOnlyDictionary<string, double> bounds) => Recipe = Recipe with { Bounds = bounds };

    /// <summary>The plan of a job.</summary>
    public static EncryptedPlan PlanOf(EncryptedJob job)
    {
        using var program = Of(job);
        return program.Plan;
    }

    public void Dispose()
    {
        if (_base.IsValueCreated)
        {
            Directory.Delete(_base.Value.Folder, recursive: true);
        }
    }

    /// <summary>The model with the base's weights, and nothing learned yet.</summary>
    public EncryptedModel NewModel() => new([.. Recipe.Units.SkipLast(1).Select(unit => (EncryptedLayerUnit)NewUnit(unit))], (EncryptedHeadUnit)NewUnit(Recipe.Units[^1]));

    private EncryptedUnit NewUnit(string unit) => Units.Create(unit, _base.Value.Files[unit]);

    private EncryptedPlan FindPlan()
    {
        var follows = FollowsFrom();
        if (EncryptedPlan.Find(_planFile, follows) is { } found)
        {
            return found;
        }

        var plan = EncryptedPlan.From(ModelPlan.Of(Job.Parameters, Packing, Recipe.Units, unit => unit, NewUnit, Job.Shape.Outputs, refreshing: Recipe.Refreshing(Job.Parameters)), follows);
        if (_keeps && Directory.Exists(EncryptedFolders.Keys(Job.Run)))
        {
            Keep(plan);
        }

        return plan;
    }

    private void Keep(EncryptedPlan plan)
    {
        try
        {
            plan.Save(_planFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Keys on a medium that cannot be written: it is planned again next time.
        }
    }

    /// <summary>Hash of all that decides what is computed: settings, weights, whose zeros are left out, and the code.</summary>
    private string FollowsFrom()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes((Recipe with { Threads = 1, CacheMiB = 0, KeyBytes = null, Owner = "", Helpers = [], AllowInsecure = false, Bounds = new Dictionary<string, double>() }).ToJson()));
        using var weights = File.OpenRead(Job.Model.Source.Weights);
        hash.AppendData(SHA256.HashData(weights));
        foreach (var code in new[] { typeof(EncryptedUnit), typeof(EncryptedPlan) })
        {
            hash.AppendData(code.Module.ModuleVersionId.ToByteArray());
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private (string Folder, IReadOnlyDictionary<string, string> Files) WriteFiles()
    {
        var folder = Directory.CreateTempSubdirectory("actortrainer-program-").FullName;
        try
        {
            var store = new ContentStore(folder);
            return (folder, BaseModel.WriteUnits(Job.Model.Source, store).ToDictionary(unit => unit.Key, unit => store.PathOf(unit.Value)));
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }
}
