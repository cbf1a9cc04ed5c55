using System.Numerics;
using ActorTrainer.He.Approximation;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class LevelsTests
{
    private static readonly CkksParameters Paired = new(ParameterSets.ToyB16Hp);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Operands_of_different_levels_meet_at_the_lower_one_with_the_scale_that_fits(bool higherFirst)
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var (x, y) = (he.Random(1), he.Random(2));
        using var high = he.Encrypt(x);
        using var low = he.Encrypt(y, 6);
        var (a, b) = higherFirst ? (high, low) : (low, high);

        using var sum = he.Evaluator.Add(a, b);
        using var difference = he.Evaluator.Subtract(a, b);
        using var product = he.Evaluator.Multiply(a, b);
        using var rescaled = he.Evaluator.Rescale(product);

        Assert.Equal((6, 6, 5), (sum.Level, difference.Level, rescaled.Level));
        Assert.True(sum.Scale.Matches(he.Parameters.ScaleAt(6)) && rescaled.Scale.Matches(he.Parameters.ScaleAt(5)));
        Assert.InRange(he.Error(sum, x.Zip(y, Complex.Add)), 0, 4 * sum.EstimatedError);
        Assert.InRange(he.Error(difference, higherFirst ? x.Zip(y, Complex.Subtract) : y.Zip(x, Complex.Subtract)), 0, 4 * difference.EstimatedError);
        Assert.InRange(he.Error(rescaled, x.Zip(y, Complex.Multiply)), 0, 4 * rescaled.EstimatedError);
    }

    [Fact]
    public void A_product_that_was_not_rescaled_is_added_to_a_sum_below()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        var (x, y) = (he.Random(1), he.Random(2));
        using var a = he.Encrypt(x);
        using var low = he.Encrypt(y, 4);
        using var product = he.Evaluator.Multiply(a, a);

        using var sum = he.Evaluator.Add(product, low);

        Assert.Equal(4, sum.Level);
        Assert.InRange(he.Error(sum, x.Zip(y, (u, v) => (u * u) + v)), 0, 4 * sum.EstimatedError);
    }

    [Fact]
    public void Aligning_frees_what_it_makes_on_the_way()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        using var high = he.Encrypt(he.Random(1));
        using var low = he.Encrypt(he.Random(2), 6);
        he.Evaluator.Add(high, low).Dispose();
        var before = he.Context.Ring.Pool.Bytes;

        for (var i = 0; i < 10; i++)
        {
            he.Evaluator.Add(high, low).Dispose();
            he.Evaluator.MultiplyLazy(high, low).Dispose();
        }

        Assert.InRange(he.Context.Ring.Pool.Bytes, before, before + (3 * 7 * he.Context.Ring.Pool.StrideBytes));
    }

    [Fact]
    public void Levels_of_two_primes_are_dropped_together()
    {
        var top = Paired.MaxLevel - 4;

        Assert.Equal(top - 2, Paired.Below(top));
        Assert.Equal(top, Paired.Above(top - 2));
        Assert.Equal(top + 1, Paired.Above(top));
        Assert.Equal(4 + 11 + 13, Paired.Depth(Paired.MaxLevel));
        Assert.Equal(13, Paired.After(Paired.MaxLevel, 15));
        Assert.Equal(-1, Paired.After(2, 3));
        Assert.InRange(Paired.ScaleAt(top).Log2, 59.9, 60);
        Assert.Equal(Paired.Chain[top].Bits + Paired.Chain[top - 1].Bits, Paired.Divisor(top).Log2, 1e-9);
    }

    [Fact]
    public void Products_on_levels_of_two_primes_keep_their_scale_and_are_as_precise_as_their_bits()
    {
        using var he = new HeFixture(ParameterSets.ToyB16Hp, []);
        var level = he.Parameters.MaxLevel - 4;
        var expected = he.Random(1);
        var current = he.Encrypt(expected, level);
        for (var i = 0; i < 5; i++)
        {
            using var square = he.Evaluator.Square(current);
            current.Dispose();
            current = he.Evaluator.Rescale(square);
            expected = [.. expected.Select(v => v * v)];
            Assert.Equal(level - (2 * (i + 1)), current.Level);
            Assert.True(current.Scale.Matches(he.Parameters.ScaleAt(current.Level)));
        }

        Assert.InRange(he.Error(current, expected), 0, Math.ScaleB(1, -45));
        using var lower = he.Evaluator.AlignTo(current, level - 14);
        Assert.InRange(he.Error(lower, expected), 0, Math.ScaleB(1, -45));
        current.Dispose();
    }

    /// <summary>Every circuit that changes scales by hand.</summary>
    [Theory]
    [InlineData("polynomial")]
    [InlineData("inverse root")]
    [InlineData("reciprocal")]
    [InlineData("relu")]
    [InlineData("exponential")]
    public void Circuits_on_levels_of_two_primes_take_their_levels_and_are_as_precise(string name)
    {
        using var he = new HeFixture(ParameterSets.ToyB16Hp, []);
        FunctionCircuit circuit = name switch
        {
            "polynomial" => new PolynomialCircuit([FunctionFits.Tanh(2, 63).Parts[0]]),
            "inverse root" => FunctionCircuit.For(FunctionFits.InverseRoot(0.1, 1, 15, 2)),
            "reciprocal" => ReciprocalCircuit.Fit(0.2, 1, 15, 2),
            "relu" => FunctionCircuit.For(FunctionFits.Relu(1, [7, 7])),
            _ => ExponentialCircuit.ByPolynomial(-8, 0, 15, 2),
        };
        var twin = new TwinBackend(he.Parameters);
        var level = he.Parameters.MaxLevel - 4;
        var x = he.Random(1).Select(v => new Complex(name == "exponential" ? -8 * Math.Abs(v.Real) : name is "polynomial" or "relu" ? v.Real : 0.25 + Math.Abs(v.Real), 0)).ToArray();
        using var input = he.Encrypt(x, level);

        using var result = circuit.Evaluate(he.Evaluator, input);
        var expected = circuit.Evaluate(new Evaluator(twin), twin.Encrypt(new PlainVector(x), level));

        Assert.Equal(he.Parameters.After(level, circuit.Depth), result.Level);
        Assert.InRange(he.Error(result, TwinBackend.Values(expected)), 0, Math.ScaleB(1, -36));
    }

    [Fact]
    public void Many_threads_use_one_evaluator_and_nothing_is_lost_from_the_ledger()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, [1], 4);
        var inputs = Enumerable.Range(0, 16).Select(i => he.Encrypt(he.Random(i), 3)).ToArray();
        var results = new Ciphertext[inputs.Length];

        he.Evaluator.ForEach(inputs.Length, i =>
        {
            using var square = he.Evaluator.Square(inputs[i]);
            using var rescaled = he.Evaluator.Rescale(square);
            results[i] = he.Evaluator.Rotate(rescaled, 1);
        });

        Assert.All(Enumerable.Range(0, inputs.Length), i =>
        {
            var x = he.Random(i);
            Assert.InRange(he.Error(results[i], x.Select((_, j) => x[(j + 1) % x.Length]).Select(v => v * v)), 0, 4 * results[i].EstimatedError);
        });
        Assert.Equal((16, 16, 16), (he.Evaluator.Ledger.Count(Operation.Multiply), he.Evaluator.Ledger.Count(Operation.Rescale), he.Evaluator.Ledger.Count(Operation.Rotate)));
    }

    [Fact]
    public void Few_slots_are_encoded_by_a_small_transform_as_their_repetition_is_by_a_large_one()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);
        Complex[] few = [new(1, 2), new(-0.5, 0.25), new(0, -1), new(0.125, 0)];
        var repeated = Enumerable.Range(0, he.Parameters.Slots).Select(i => few[i % 4]).ToArray();

        using var small = he.Encode(few, 3);
        using var large = he.Encode(repeated, 3);

        var (a, b) = (he.Encoder.Coefficients(small), he.Encoder.Coefficients(large));
        Assert.All(a.Zip(b), pair => Assert.InRange(Math.Abs(pair.Item1 - pair.Item2), 0, 1));
        Assert.Equal(8, a.Count(c => c != 0));
        Assert.All(he.Encoder.Decode(small).Zip(repeated), pair => Assert.InRange((pair.Item1 - pair.Item2).Magnitude, 0, 1e-11));
    }

    [Fact]
    public void One_slot_is_a_constant()
    {
        using var he = new HeFixture(ParameterSets.ToyL15, []);

        using var constant = he.Encode([new(0.75, -0.5)], 2);

        Assert.All(he.Encoder.Decode(constant), v => Assert.InRange((v - new Complex(0.75, -0.5)).Magnitude, 0, 1e-11));
    }
}
