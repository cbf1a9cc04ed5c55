using ActorTrainer.Model.Bert;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Optimisation;

/// <summary>Seeded parameters and gradients: equal arguments, equal bits.</summary>
internal static class TestParameters
{
    // Sizes with and without a remainder after whole vectors, and one larger than any cache block.
    private static readonly long[][] Shapes = [[37, 129], [768], [1], [5, 3, 7], [35_003, 2]];

    public static List<NamedParameter> Make(int seed) =>
        Shapes.Select((shape, i) => new NamedParameter($"unit.{i}.weight", new Parameter(Random(shape, seed * 100 + i)), i % 2 == 0)).ToList();

    /// <summary>Gradients over several orders of magnitude, exact zeros among them.</summary>
    public static void SetGradients(IReadOnlyList<NamedParameter> parameters, int step)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            using var scope = NewDisposeScope();
            var gradient = Random(parameters[i].Value.shape, 1_000_000 + 1000 * step + i);
            var scale = Random(parameters[i].Value.shape, 2_000_000 + i).mul(4).exp();
            parameters[i].Value.grad = gradient.mul(scale).mul(gradient.gt(-1.5));
        }
    }

    public static Tensor Random(long[] shape, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, generator: generator);
    }
}
