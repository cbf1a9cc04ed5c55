using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Optimisation;

public class AdamWTests
{
    [Theory]
    [InlineData(1e-12, 0.01, 1.0)]
    [InlineData(1e-12, 0.01, 0.37)]
    [InlineData(1e-8, 0.0, 1.0)]
    [InlineData(2.5e-4, 0.1, 0.99)]
    public void Sixty_steps_have_the_bits_of_torch_AdamW_with_decay_groups(double eps, double weightDecay, double clip)
    {
        using var scope = NewDisposeScope();
        var options = new AdamWOptions { Eps = eps, WeightDecay = weightDecay };
        var mine = TestParameters.Make(1);
        var theirs = TestParameters.Make(1);
        using var optimiser = new AdamW(mine, options);
        using var oracle = Oracle(theirs, options);
        for (var step = 1; step <= 60; step++)
        {
            var learningRate = 1e-3 * (1 + step % 7);
            TestParameters.SetGradients(mine, step);
            TestParameters.SetGradients(theirs, step);
            Clip(theirs, clip);
            foreach (var group in oracle.ParamGroups)
            {
                group.LearningRate = learningRate;
            }

            optimiser.Step(learningRate, clip);
            oracle.step();
            foreach (var (mineNow, theirsNow) in mine.Zip(theirs))
            {
                Assert.True(mineNow.Value.bytes.SequenceEqual(theirsNow.Value.bytes), $"{mineNow.Name} differs at step {step}");
            }
        }

        Assert.Equal(60, optimiser.StepCount);
    }

    [Fact]
    public void Eps_inside_the_root_is_the_formula_of_the_encrypted_optimiser()
    {
        using var scope = NewDisposeScope();
        var options = new AdamWOptions { Eps = 2.5e-4, EpsInsideRoot = true, WeightDecay = 0.01, Beta2 = 0.999 };
        var value = tensor(new[] { 0.5 }, requires_grad: true);
        using var optimiser = new AdamW([new NamedParameter("w", value, true)], options);
        double p = 0.5, m = 0, v = 0;
        for (var t = 1; t <= 20; t++)
        {
            var g = Math.Sin(t);
            value.grad = tensor(new[] { g });
            optimiser.Step(0.01);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            p -= 0.01 * 0.01 * p;
            p -= 0.01 * (m / (1 - Math.Pow(0.9, t))) / Math.Sqrt(v / (1 - Math.Pow(0.999, t)) + 2.5e-4);
            Assert.Equal(p, value.item<double>(), 12);
        }
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 0.4)]
    public void The_fused_kernel_has_the_bits_of_the_torch_operations(bool epsInsideRoot, double clip)
    {
        using var scope = NewDisposeScope();
        var options = new AdamWOptions { EpsInsideRoot = epsInsideRoot, Eps = epsInsideRoot ? 2.5e-4 : 1e-12 };
        var fused = TestParameters.Make(8);
        var plain = TestParameters.Make(8);
        using var first = new AdamW(fused, options);
        using var second = new AdamW(plain, options) { WithoutKernel = true };
        for (var step = 1; step <= 50; step++)
        {
            TestParameters.SetGradients(fused, step);
            TestParameters.SetGradients(plain, step);
            first.Step(3e-3, clip);
            second.Step(3e-3, clip);
        }

        Assert.All(fused.Zip(plain), pair => Assert.True(pair.Item1.Value.bytes.SequenceEqual(pair.Item2.Value.bytes)));
        Assert.All(first.NamedState.Zip(second.NamedState), pair => Assert.True(pair.Item1.Value.bytes.SequenceEqual(pair.Item2.Value.bytes)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_backward_through_weights_from_before_the_step_fails(bool withoutKernel)
    {
        using var scope = NewDisposeScope();
        var w = ones(3, requires_grad: true);
        using var optimiser = new AdamW([new NamedParameter("w", w, true)], new AdamWOptions()) { WithoutKernel = withoutKernel };
        var loss = (w * w).sum();
        w.grad = ones(3);
        optimiser.Step(1e-3);
        Assert.Contains("inplace", Assert.ThrowsAny<Exception>(() => loss.backward()).Message);
    }

    [Fact]
    public void Saved_and_loaded_state_continues_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var straight = TestParameters.Make(2);
        using var whole = new AdamW(straight, new AdamWOptions());
        Run(whole, 1, 8);

        var first = TestParameters.Make(2);
        using var before = new AdamW(first, new AdamWOptions());
        Run(before, 1, 5);
        var second = first.Select(p => p with { Value = p.Value.detach().clone().requires_grad_(true) }).ToList();
        using var after = new AdamW(second, new AdamWOptions());
        after.LoadState(before.StepCount, before.NamedState);
        Run(after, 6, 8);

        Assert.Equal(8, after.StepCount);
        Assert.All(straight.Zip(second), pair => Assert.True(pair.Item1.Value.bytes.SequenceEqual(pair.Item2.Value.bytes)));
        Assert.All(whole.NamedState.Zip(after.NamedState), pair => Assert.True(pair.Item1.Value.bytes.SequenceEqual(pair.Item2.Value.bytes)));
    }

    [Fact]
    public void State_of_another_shape_name_or_number_is_refused_and_nothing_changes()
    {
        using var scope = NewDisposeScope();
        var parameters = TestParameters.Make(3);
        using var optimiser = new AdamW(parameters, new AdamWOptions());
        Run(optimiser, 1, 2);
        var before = optimiser.NamedState.Select(pair => pair.Value.bytes.ToArray()).ToList();
        var good = optimiser.NamedState.Select(pair => (pair.Name, Value: zeros_like(pair.Value))).ToList();

        Assert.Contains("missing", Assert.Throws<ArgumentException>(() => optimiser.LoadState(9, good.Skip(1))).Message);
        Assert.Contains("odd", Assert.Throws<ArgumentException>(() => optimiser.LoadState(9, good.Append(("odd", zeros(1))))).Message);
        var last = good.Last();
        Assert.Contains(last.Name, Assert.Throws<ArgumentException>(() => optimiser.LoadState(9, good.SkipLast(1).Append((last.Name, zeros(2, 2))))).Message);
        Assert.Contains(last.Name, Assert.Throws<ArgumentException>(
            () => optimiser.LoadState(9, good.SkipLast(1).Append((last.Name, last.Value.to_type(ScalarType.Float64))))).Message);
        Assert.Contains("twice", Assert.Throws<ArgumentException>(() => optimiser.LoadState(9, good.Append(last))).Message);

        Assert.Equal(2, optimiser.StepCount);
        Assert.All(optimiser.NamedState.Zip(before), pair => Assert.True(pair.Item1.Value.bytes.SequenceEqual(pair.Item2)));
    }

    [Fact]
    public void A_parameter_without_gradient_stays_as_it_is()
    {
        using var scope = NewDisposeScope();
        var parameters = TestParameters.Make(4);
        using var optimiser = new AdamW(parameters, new AdamWOptions());
        TestParameters.SetGradients(parameters, 1);
        parameters[0].Value.grad = null;
        var before = parameters.Select(p => p.Value.bytes.ToArray()).ToList();
        optimiser.Step(1e-3);
        Assert.True(parameters[0].Value.bytes.SequenceEqual(before[0]));
        Assert.Equal(0, optimiser.State(parameters[0].Name).ExpAvg.abs().sum().item<float>());
        Assert.False(parameters[1].Value.bytes.SequenceEqual(before[1]));
    }

    [Fact]
    public void Zero_grad_leaves_no_gradient_and_the_next_backward_starts_anew()
    {
        using var scope = NewDisposeScope();
        var w = ones(3, requires_grad: true);
        using var optimiser = new AdamW([new NamedParameter("w", w, true)], new AdamWOptions());
        (w * 2).sum().backward();
        optimiser.ZeroGrad();
        Assert.Null(w.grad);
        (w * 3).sum().backward();
        Assert.Equal([3f, 3f, 3f], w.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var scope = NewDisposeScope();
        var parameters = TestParameters.Make(5);
        using var optimiser = new AdamW(parameters, new AdamWOptions());
        Run(optimiser, 1, 1);
        var live = 0L;
        for (var step = 2; step <= 30; step++)
        {
            using (var inner = NewDisposeScope())
            {
                TestParameters.SetGradients(parameters, step);
                var statistics = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
                optimiser.Step(1e-3, 0.5);
                optimiser.ZeroGrad();
                Assert.Equal(statistics, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            }

            live = step == 3 ? DisposeScopeManager.Statistics.ThreadTotalLiveCount : live;
        }

        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Moments_outlive_the_scope_they_were_made_in()
    {
        using var outer = NewDisposeScope();
        var parameters = TestParameters.Make(6);
        AdamW optimiser;
        using (NewDisposeScope())
        {
            optimiser = new AdamW(parameters, new AdamWOptions());
        }

        using (optimiser)
        {
            Run(optimiser, 1, 1);
            Assert.All(optimiser.NamedState, pair => Assert.False(pair.Value.IsInvalid));
        }
    }

    [Fact]
    public void Numbers_that_make_no_step_are_refused()
    {
        using var scope = NewDisposeScope();
        using var optimiser = new AdamW(TestParameters.Make(7), new AdamWOptions());
        Assert.Throws<ArgumentOutOfRangeException>(() => optimiser.Step(double.NaN, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimiser.Step(1e-3, double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimiser.Step(-1, 1));
        Assert.Equal(0, optimiser.StepCount);
        Assert.Throws<KeyNotFoundException>(() => optimiser.State("nobody"));
        var one = TestParameters.Make(7)[0];
        Assert.Throws<ArgumentException>(() => new AdamW([one, one], new AdamWOptions()));
    }

    private static void Run(AdamW optimiser, int from, int to)
    {
        for (var step = from; step <= to; step++)
        {
            TestParameters.SetGradients(optimiser.Parameters, step);
            optimiser.Step(1e-3, 0.8);
            optimiser.ZeroGrad();
        }
    }

    private static TorchSharp.Modules.AdamW Oracle(IReadOnlyList<NamedParameter> parameters, AdamWOptions options)
    {
        var groups = new[] { true, false }.Select(decay => new TorchSharp.Modules.AdamW.ParamGroup(
            parameters.Where(p => p.Decay == decay).Select(p => (TorchSharp.Modules.Parameter)p.Value),
            options.LearningRate, options.Beta1, options.Beta2, options.Eps, decay ? options.WeightDecay : 0));
        return optim.AdamW(groups.ToArray(), options.LearningRate, options.Beta1, options.Beta2, options.Eps);
    }

    private static void Clip(IReadOnlyList<NamedParameter> parameters, double clip)
    {
        foreach (var parameter in parameters.Where(_ => clip < 1))
        {
            using var gradient = parameter.Value.grad;
            gradient!.mul_(clip);
        }
    }
}
