using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using Xunit;

namespace ActorTrainer.Tests.He.Layers;

public sealed class EncryptedAdamWTests
{
    private readonly TwinBackend _twin = new(new CkksParameters(ParameterSets.ToyL15));
    private readonly Random _random = new(1);

    [Theory]
    [InlineData(16, 5)]
    [InlineData(16, 16)]
    [InlineData(8, 7)]
    [InlineData(64, 3)]
    [InlineData(4, 4)]
    [InlineData(4, 1)]
    public void Terms_are_summed_over_their_runs_packed_and_spread_again(int period, int count)
    {
        var math = NewMath(out var packing);
        var pack = new VectorPack(packing, period, "pack");
        var terms = Enumerable.Range(0, count).Select(_ => Numbers()).ToArray();

        var packed = pack.Sum(math, [.. terms.Select(t => _twin.Encrypt(new PlainVector(t), 3))], 1);
        var spread = pack.Spread(math, packed, count, 0);

        var sums = terms.Select(t => t.Select((_, slot) => t.Skip(slot / period * period).Take(period).Sum()).ToArray()).ToArray();
        Close(pack.Slots(sums), Values(packed));
        Assert.All(Enumerable.Range(0, count), k => Close(sums[k], Values(spread[k])));
        Assert.Throws<ArgumentException>(() => pack.Spread(math, packed, period + 1, 0));
    }

    [Fact]
    public void Steps_are_those_of_AdamW_with_epsilon_inside_of_the_root_and_its_polynomial()
    {
        var math = NewMath(out _);
        var fit = FunctionFits.InverseRoot(0.005, 2, 31, 2);
        var settings = new AdamWSettings(0.9, 0.999, 0.01, 0.1);
        var optimiser = new EncryptedAdamW(settings, FunctionCircuit.For(fit), "adamw");
        var decays = Enumerable.Range(0, _twin.Parameters.Slots).Select(i => i % 3 == 0 ? 0.0 : 1).ToArray();
        var (weights, mean, square) = (Numbers(), new double[decays.Length], new double[decays.Length]);
        var state = new AdamWPack(_twin.Encrypt(new PlainVector(weights), 5), _twin.Encrypt(new PlainVector(mean), 5), _twin.Encrypt(new PlainVector(square), 5));

        for (var step = 1; step <= 4; step++)
        {
            var (g, rate) = (Numbers(), 0.02 * step);
            state = optimiser.Step(math, state, _twin.Encrypt(new PlainVector(g), 2), decays, rate, step, 2);
            for (var i = 0; i < g.Length; i++)
            {
                mean[i] = (0.9 * mean[i]) + (0.1 * g[i]);
                square[i] = (0.999 * square[i]) + (0.001 * g[i] * g[i]);
                var root = fit.Evaluate((square[i] / (1 - Math.Pow(0.999, step))) + 0.01);
                weights[i] = (weights[i] * (1 - (rate * 0.1 * decays[i]))) - (rate * mean[i] / (1 - Math.Pow(0.9, step)) * root);
            }
        }

        Close(weights, Values(state.Weights));
        Close([.. mean.Select(m => m / (1 - Math.Pow(0.9, 4)) / optimiser.MeanUnit)], Values(state.Mean));
        Close([.. square.Select(v => v / (1 - Math.Pow(0.999, 4)) / optimiser.SquareUnit)], Values(state.Square));
        Assert.Equal((2, 2, 2), (state.Weights.Level, state.Mean.Level, state.Square.Level));
    }

    private TensorMath NewMath(out Packing packing) =>
        new(new Evaluator(_twin), new ClearRefresher(_twin), packing = new Packing(_twin.Parameters.Slots, 4, 4, 2, 8));

    private double[] Numbers() => [.. Enumerable.Range(0, _twin.Parameters.Slots).Select(_ => (2 * _random.NextDouble()) - 1)];

    private static double[] Values(Ciphertext c) => [.. TwinBackend.Values(c).Select(v => v.Real)];

    private static void Close(double[] expected, double[] found) => Assert.All(expected.Zip(found), pair => Assert.Equal(pair.Item1, pair.Item2, 1e-9));
}
