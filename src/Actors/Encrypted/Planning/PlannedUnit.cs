using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Scheme;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>A refresh in the order of the program: where, when, and between which levels.</summary>
/// <param name="Block">See <see cref="PlannedBlock.Name"/>.</param>
/// <param name="Seconds">Predicted seconds of computation since the pass began; 0 without costs.</param>
/// <param name="From">The lowest level found.</param>
/// <param name="To">Level lifted to.</param>
public sealed record PlannedMoment(PlanPass Pass, string Block, double Seconds, int From, int To);

/// <summary>What one unit of the pipeline takes: its program was run on paper for two micro-batches and an update.</summary>
public sealed record PlannedUnit
{
    /// <summary>E.g. <c>layers.0</c>, <c>head</c>.</summary>
    public required string Name { get; init; }

    /// <summary>By pass and block, in the order of the program.</summary>
    public required IReadOnlyList<PlannedBlock> Blocks { get; init; }

    /// <summary>Exactly the evaluation keys that it uses, each up to the highest level of its use.</summary>
    public required IReadOnlyList<KeyRequest> Keys { get; init; }

    /// <summary>Refreshes of one micro-batch and the update, in order.</summary>
    public required IReadOnlyList<PlannedMoment> Moments { get; init; }

    /// <summary>All sites of refreshes.</summary>
    public required IReadOnlyList<string> Sites { get; init; }

    /// <summary>Levels to reach by site, where there are any.</summary>
    public IReadOnlyDictionary<string, int> Reach { get; init; } = new Dictionary<string, int>();

    /// <summary>Where refreshed values have to lie, for those sites on whose values functions are evaluated.</summary>
    public required IReadOnlyList<SiteRange> Ranges { get; init; }

    /// <summary>Limbs kept over a whole step: packed weights and moments, spread weights, gradients.</summary>
    public required long KeptLimbs { get; init; }

    /// <summary>Limbs kept for one micro-batch from its forward to its backward.</summary>
    public required long TapeLimbs { get; init; }

    /// <summary>The most limbs beyond these that are alive at once.</summary>
    public required long WorkLimbs { get; init; }

    /// <summary>Limbs of encoded diagonals with weights.</summary>
    public required long WeightDiagonalLimbs { get; init; }

    /// <summary>Limbs of encoded masks, which the layers of a stage have in common.</summary>
    public required long MaskDiagonalLimbs { get; init; }

    /// <summary>Level of the output, which a head does not pass on.</summary>
    public required int Output { get; init; }

    /// <summary>Level of the gradient of the input; −1 where it is not wanted.</summary>
    public required int Gradient { get; init; }

    /// <summary>The same of a unit that is alike but for its name, with which its sites begin.</summary>
    public PlannedUnit Called(string name)
    {
        return name == Name ? this : this with
        {
            Name = name,
            Sites = [.. Sites.Select(Of)],
            Reach = Reach.ToDictionary(entry => Of(entry.Key), entry => entry.Value),
            Ranges = [.. Ranges.Select(range => range with { Site = Of(range.Site) })],
        };

        string Of(string site) => name + site[Name.Length..];
    }

    /// <summary>How often a pass is done in a step.</summary>
    public static int Times(PlanPass pass, int microBatches) => pass switch
    {
        PlanPass.Sum => microBatches - 1,
        PlanPass.Step => 1,
        _ => microBatches,
    };

    /// <summary>Operations of a step.</summary>
    public IReadOnlyDictionary<(Operation Operation, int Level), long> Counts(int microBatches) =>
        Blocks.SelectMany(block => block.Counts.Select(entry => (entry.Key, Value: entry.Value * Times(block.Pass, microBatches))))
            .Where(entry => entry.Value > 0).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));

    /// <summary>Ciphertexts refreshed in a step.</summary>
    public long Refreshes(int microBatches) => Blocks.Sum(block => block.Refreshes * Times(block.Pass, microBatches));

    /// <summary>Predicted seconds of computation of a pass, each time.</summary>
    /// <inheritdoc cref="PlannedBlock.Seconds"/>
    public double Seconds(PlanPass pass, OperationCosts costs, double held) => Blocks.Where(block => block.Pass == pass).Sum(block => block.Seconds(costs, held));

    /// <summary>Predicted seconds of computation of a step.</summary>
    /// <inheritdoc cref="PlannedBlock.Seconds"/>
    public double StepSeconds(OperationCosts costs, double held, int microBatches) => Blocks.Sum(block => block.Seconds(costs, held) * Times(block.Pass, microBatches));
}
