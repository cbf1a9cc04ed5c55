using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Parameters;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

[Collection(BootstrapTests.Name)]
public sealed class BootstrapperTests(BootstrapFixture fixture)
{
    private BootstrapEngine Engine => fixture.Engine;

    private Bootstrapper Bootstrapper => Engine.Bootstrapper;

    [Theory]
    [InlineData("zero")]
    [InlineData("ones")]
    [InlineData("single")]
    [InlineData("ramp")]
    [InlineData("alternating")]
    [InlineData("signs")]
    [InlineData("uniform")]
    [InlineData("gaussian")]
    public void Slots_come_out_at_the_upper_level_as_precise_as_the_noise_model_says(string name)
    {
        var values = Input(name);
        using var low = Engine.Encrypt(values);

        using var lifted = Bootstrapper.Single(Engine.Evaluator, low);

        Assert.Equal(Bootstrapper.OutputLevel, lifted.Level);
        Assert.True(lifted.Scale.Matches(Engine.Parameters.ScaleAt(lifted.Level)));
        Engine.Check(lifted, values);
        Assert.True(Engine.Bits(lifted, values) >= 20, $"{Engine.Bits(lifted, values):F1} bits");
    }

    [Fact]
    public void A_pair_is_two_singles()
    {
        var (x, y) = (Input("uniform"), Input("ramp"));
        using var a = Engine.Encrypt(x);
        using var b = Engine.Encrypt(y, Bootstrapper.InputLevel + 2);

        var (first, second) = Bootstrapper.Pair(Engine.Evaluator, a, b);

        using (first)
        using (second)
        {
            Engine.Check(first, x);
            Engine.Check(second, y);
            Assert.Equal((Bootstrapper.OutputLevel, Bootstrapper.OutputLevel), (first.Level, second.Level));
            Assert.True(first.Scale.Matches(second.Scale));
        }
    }

    [Fact]
    public void Imaginary_parts_are_dropped()
    {
        var values = Input("uniform");
        using var real = Engine.Encrypt(values);
        using var ones = Engine.Encrypt([0.5]);
        using var imaginary = Engine.Evaluator.MultiplyByI(ones);
        using var complex = Engine.Evaluator.Add(real, imaginary);

        using var lifted = Bootstrapper.Single(Engine.Evaluator, complex);

        Engine.Check(lifted, values);
    }

    [Fact]
    public void Slots_beyond_the_bound_come_out_less_precise_and_nothing_is_thrown()
    {
        var (inside, beyond) = (Input("signs"), Input("signs").Select(v => 1.5 * v).ToArray());
        using var a = Engine.Encrypt(inside);
        using var b = Engine.Encrypt(beyond);

        using var lifted = Bootstrapper.Single(Engine.Evaluator, a);
        using var degraded = Bootstrapper.Single(Engine.Evaluator, b);

        Assert.InRange(Engine.Bits(degraded, beyond), 10, Engine.Bits(lifted, inside) - 1);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(0.0625)]
    public void Another_bound_keeps_the_relative_precision(double bound)
    {
        double[] values = [.. Input("uniform").Select(v => bound * v)];
        using var low = Engine.Encrypt(values);

        using var lifted = Bootstrapper.Single(Engine.Evaluator, low, bound);

        Engine.Check(lifted, values);
        Assert.True(Engine.Bits(lifted, values) + Math.Log2(bound) >= 20, $"{Engine.Bits(lifted, values) + Math.Log2(bound):F1} bits");
        Assert.Equal(bound, lifted.Magnitude);
    }

    /// <summary>A part of the error is the polynomials' own, which is the same every time: ten times it is ten times as much, and never more.</summary>
    [Fact]
    public void Ten_in_a_row_do_not_drift()
    {
        var values = Input("uniform");
        var current = Engine.Encrypt(values);
        var first = 0.0;
        for (var i = 0; i < 10; i++)
        {
            using var before = current;
            current = Bootstrapper.Single(Engine.Evaluator, before);
            first = i == 0 ? Engine.Bits(current, values) : first;
        }

        using (current)
        {
            Engine.Check(current, values);
            Assert.True(Engine.Bits(current, values) >= first - Math.Log2(10), $"{first:F1} bits, and {Engine.Bits(current, values):F1} after ten.");
            var mean = Engine.Slots(current).Zip(values, (found, value) => found.Real - value).Average();
            Assert.True(-Math.Log2(Math.Abs(mean)) >= first - 1, $"{-Math.Log2(Math.Abs(mean)):F1} bits of the mean error");
        }
    }

    [Fact]
    public void Ten_products_fit_between_two_bootstraps()
    {
        var (values, factor) = (Input("uniform"), Input("signs").Select(v => 0.9 * v).ToArray());
        using var low = Engine.Encrypt(values);
        using var factors = Engine.Encrypt(factor, Engine.Parameters.MaxLevel);
        var current = Bootstrapper.Single(Engine.Evaluator, low);
        for (var i = 0; i < 10; i++)
        {
            using var before = current;
            using var aligned = Engine.Evaluator.AlignTo(factors, before.Level);
            using var product = Engine.Evaluator.Multiply(before, aligned);
            current = Engine.Evaluator.Rescale(product);
            values = [.. values.Zip(factor, (x, y) => x * y)];
        }

        using (current)
        {
            using var lifted = Bootstrapper.Single(Engine.Evaluator, current);
            Assert.True(Engine.Parameters.Depth(current.Level) >= 3);
            Assert.True(Engine.Bits(lifted, values) >= 20, $"{Engine.Bits(lifted, values):F1} bits");
        }
    }

    [Fact]
    public void Levels_of_two_primes_are_more_precise()
    {
        using var engine = new BootstrapEngine(ParameterSets.ToyB16Hp with { LogDegree = 9 }, p => BootstrapShape.For(p));
        var values = BootstrapFixture.Input("uniform", engine.Parameters.Slots);
        using var low = engine.Encrypt(values);

        using var lifted = engine.Bootstrapper.Single(engine.Evaluator, low);

        engine.Check(lifted, values);
        Assert.True(engine.Bits(lifted, values) >= 24, $"{engine.Bits(lifted, values):F1} bits");
        Assert.True(engine.Parameters.Depth(lifted.Level) - engine.Parameters.Depth(engine.Bootstrapper.InputLevel) >= 9);
    }

    /// <summary>Fewer slots repeat; the number of matrices is free within the levels.</summary>
    [Theory]
    [InlineData(2, 1, 1)]
    [InlineData(4, 2, 2)]
    [InlineData(8, 1, 2)]
    [InlineData(8, 3, 3)]
    [InlineData(16, 2, 4)]
    [InlineData(32, 1, 3)]
    [InlineData(32, 2, 2)]
    [InlineData(32, 3, 4)]
    [InlineData(64, 1, 4)]
    [InlineData(64, 2, 3)]
    [InlineData(64, 3, 2)]
    public void Every_number_of_slots_and_matrices_works(int slots, int toCoefficients, int toSlots)
    {
        var log = int.Log2(slots);
        using var engine = new BootstrapEngine(ParameterSets.Toy with { LogDegree = 7 }, p => BootstrapShape.For(p, slots) with
        {
            ToCoefficients = BootstrapShape.Split(log, toCoefficients),
            ToSlots = BootstrapShape.Split(log, toSlots),
        });
        var (x, y) = (BootstrapFixture.Input("ramp", slots), BootstrapFixture.Input("uniform", slots));
        using var a = engine.Encrypt(x);
        using var b = engine.Encrypt(y);

        using var single = engine.Bootstrapper.Single(engine.Evaluator, a);
        var (first, second) = engine.Bootstrapper.Pair(engine.Evaluator, a, b);

        using (first)
        using (second)
        {
            engine.Check(single, x, 12);
            engine.Check(first, x, 12);
            engine.Check(second, y, 12);
        }
    }

    private double[] Input(string name) => BootstrapFixture.Input(name, Engine.Parameters.Slots);
}
