using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Training;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>A made task's program on paper: as a whole, and unit by unit.</summary>
internal sealed class MadeProgram : IDisposable
{
    private readonly Bert.TemporaryFolder _folder = new();
    private readonly MadeTask _task;
    private readonly EncryptedUnits _makers;

    /// <param name="recipe">Null for the task's.</param>
    public MadeProgram(MadeTask task, EncryptedRecipe? recipe = null)
    {
        (_task, Recipe) = (task, recipe ?? task.Recipe);
        _makers = new EncryptedUnits(Recipe, Recipe.Packing(Recipe.Parameters()));
        foreach (var unit in task.Units)
        {
            using var stream = File.Create(FileOf(unit.Name));
            MadeTask.Write(unit, stream);
        }
    }

    public EncryptedRecipe Recipe { get; }

    /// <summary>Made costs: a second for each level of each operation with a key, nothing for others.</summary>
    public static OperationCosts Costs { get; } = new()
    {
        Set = "made",
        Parallelism = 1,
        Levels = [1, 15],
        Measured = Enum.GetValues<Operation>().ToDictionary(
            o => o, o => (IReadOnlyList<double>)(o is Operation.Relinearise or Operation.Rotate or Operation.RotateRaised or Operation.RotateUndivided ? [1, 15] : [0, 0])),
    };

    /// <summary>The whole model at once.</summary>
    public WholePlan Whole(int microBatches) => WholePlan.Of(Recipe.Parameters(), _makers.Packing, Model, _task.Shape.Outputs, microBatches, Costs);

    /// <summary>Unit by unit.</summary>
    /// <param name="refreshing">Null: by the owner.</param>
    public ModelPlan Units(Refreshing? refreshing = null) => ModelPlan.Of(Recipe.Parameters(), _makers.Packing, Recipe.Units, unit => unit, Create, _task.Shape.Outputs, Costs, refreshing);

    public void Dispose() => _folder.Dispose();

    /// <summary>The model, without learned weights yet.</summary>
    public EncryptedModel Model() => new([.. Recipe.Units.SkipLast(1).Select(unit => (EncryptedLayerUnit)Create(unit))], (EncryptedHeadUnit)Create("head"));

    private EncryptedUnit Create(string unit) => _makers.Create(unit, FileOf(unit));

    private string FileOf(string unit) => Path.Combine(_folder.Path, $"{unit}.safetensors");
}
