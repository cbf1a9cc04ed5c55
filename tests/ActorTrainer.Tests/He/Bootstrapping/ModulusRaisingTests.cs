using System.Numerics;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

[Collection(BootstrapTests.Name)]
public sealed class ModulusRaisingTests(BootstrapFixture fixture)
{
    private BootstrapEngine Engine => fixture.Engine;

    private double Base => Engine.Parameters.Chain[0].Value;

    [Fact]
    public void Coefficients_are_what_they_were_and_a_small_multiple_of_the_first_prime()
    {
        using var low = Low(1);

        using var raised = Engine.Evaluator.RaiseModulus(low);

        var deviation = Math.Sqrt(NoiseModel.Encapsulation(Engine.Parameters));
        Assert.Equal(Engine.Parameters.MaxLevel, raised.Level);
        Assert.True(raised.Scale.Matches(Scale.FromInteger(Engine.Parameters.Chain[0].Value)));
        var rests = Engine.Coefficients(raised).Zip(Engine.Coefficients(low), (after, before) => after - before).Select(d => (Whole: Math.Round(d / Base), Small: d - (Math.Round(d / Base) * Base))).ToArray();
        Assert.Contains(rests, r => r.Whole != 0);
        Assert.All(rests, r => Assert.True(Math.Abs(r.Whole) <= Engine.Bootstrapper.Shape.Bound && Math.Abs(r.Small) <= 7 * deviation, $"{r.Whole} times q0 and {r.Small}"));
        Assert.InRange(Math.Sqrt(rests.Average(r => r.Small * r.Small)) / deviation, 0.8, 1.25);
    }

    /// <summary>The multiple is a sum of 33 uniform numbers, one for each coefficient of the sparse secret and one for the other part, rounded: Irwin and Hall's distribution.</summary>
    [Fact]
    public void Multiples_of_the_first_prime_are_distributed_as_a_sum_of_uniform_numbers()
    {
        var wholes = Enumerable.Range(0, 8).SelectMany(Wholes).ToArray();

        Assert.InRange(wholes.Average(w => w * w), 0.93 * (EncapsulationParameters.Weight + 2) / 12.0, 1.07 * (EncapsulationParameters.Weight + 2) / 12.0);
        for (var bound = 0; bound <= 5; bound++)
        {
            var (expected, found) = (wholes.Length * Beyond(bound), wholes.Count(w => Math.Abs(w) > bound));
            Assert.True(Math.Abs(found - expected) <= 4 * Math.Sqrt(expected), $"{found} beyond {bound}, expected {expected:F1} of {wholes.Length}.");
        }
    }

    /// <summary>K = 12 and more are beyond reach of a test; the formula that gives their chance is the one that the test before measures.</summary>
    [Theory]
    [InlineData(14, -72)]
    [InlineData(12, -39)]
    public void The_chance_of_a_failure_at_full_size_is_what_the_shape_tells(int bound, double log)
    {
        Assert.InRange(Math.Log2(Beyond(bound)) + 16, log - 1, log);
        Assert.Equal(0, Beyond(16));
    }

    /// <summary>With a small K, as many slots are wrong as have a multiple of q₀ that the reduction does not reach: the message stands in the coefficients, so that each fails alone.</summary>
    [Fact]
    public void A_small_bound_ruins_as_many_slots_as_predicted()
    {
        const double Wrong = 1.0 / (1 << 10);
        using var engine = new BootstrapEngine(ParameterSets.Toy with { LogDegree = 10 }, p => BootstrapShape.For(p) with { Bound = 3, CosineDegree = 10 });
        var values = BootstrapFixture.Input("signs", engine.Parameters.Slots);
        using var low = engine.Encrypt(values);

        var (first, second) = engine.Bootstrapper.Pair(engine.Evaluator, low, low);

        using (first)
        using (second)
        {
            var found = new[] { first, second }.Sum(c => engine.Slots(c).Zip(values, (slot, value) => Math.Abs(slot.Real - value)).Count(error => error > Wrong));
            var (reduction, ratio) = (engine.Bootstrapper.Reduction, engine.Bootstrapper.Shape.Ratio);
            var expected = 2 * values.Length * Enumerable.Range(-9, 19).Where(whole => Math.Abs((reduction.At(whole + (1 / ratio)) * ratio) - 1) > Wrong)
                .Sum(whole => (Beyond(Math.Abs(whole) - 1) - Beyond(Math.Abs(whole))) / (whole == 0 ? 1 : 2));
            Assert.True(expected > 20 && Math.Abs(found - expected) <= 4 * Math.Sqrt(expected), $"{found} slots are wrong, expected {expected:F1}.");
        }
    }

    [Fact]
    public void Only_two_parts_at_the_lowest_level_are_raised()
    {
        using var high = Engine.Encrypt([1.0], 1);

        Assert.Contains("expected level 0", Assert.Throws<MisuseException>(() => Engine.Evaluator.RaiseModulus(high)).Message);
    }

    /// <summary>P(|I| > K): I is the sum rounded, so the sum is beyond K + ½; exact in whole numbers, since K + ½ + 33/2 is one.</summary>
    private static double Beyond(int bound)
    {
        const int Terms = EncapsulationParameters.Weight + 1;
        if (bound < 0 || bound >= Terms / 2)
        {
            return bound < 0 ? 1 : 0;
        }

        // The sum of U(0, 1) is below Terms − place with this chance, and beyond place with the same.
        var place = bound + ((Terms + 1) / 2);
        var (below, binomial) = (BigInteger.Zero, BigInteger.One);
        for (var k = 0; k < Terms - place; k++)
        {
            below += (k % 2 == 0 ? 1 : -1) * binomial * BigInteger.Pow(Terms - place - k, Terms);
            binomial = binomial * (Terms - k) / (k + 1);
        }

        var factorial = Enumerable.Range(1, Terms).Aggregate(BigInteger.One, (product, i) => product * i);
        return 2 * Math.Exp(BigInteger.Log(below) - BigInteger.Log(factorial));
    }

    private Ciphertext Low(int seed)
    {
        var random = new Random(seed);
        return Engine.Encrypt([.. Enumerable.Range(0, Engine.Parameters.Slots).Select(_ => (2 * random.NextDouble()) - 1)], Scale.FromInteger(Engine.Parameters.Chain[0].Value >> 12), (byte)(seed + 4));
    }

    private IEnumerable<double> Wholes(int seed)
    {
        using var low = Low(seed);
        using var raised = Engine.Evaluator.RaiseModulus(low);
        return [.. Engine.Coefficients(raised).Zip(Engine.Coefficients(low), (after, before) => Math.Round((after - before) / Base))];
    }
}
