using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Ranges;

public class RangePenaltyTests
{
    private static readonly FunctionSite Gate = new("layers.0", "gate", PointFunction.Relu);
    private static readonly FunctionSite Norm = new("layers.0", "norm1", PointFunction.NormInverseRoot);

    [Fact]
    public void The_penalty_is_the_summed_distance_in_widths_of_the_range_and_others_see_the_inputs_too()
    {
        using var scope = NewDisposeScope();
        var recorder = new RangeRecorder();
        var penalty = new RangePenalty(new RangeTargets { Relu = 2, NormBound = 4 }, weight: 3, recorder);
        penalty.Observe(Gate, tensor(new[] { 0.5, 4, -3, 2 }));
        penalty.Observe(Norm, tensor(new[] { 0.002, 4.5, 0.001 }));
        penalty.Observe(Gate, zeros(0));
        penalty.Observe(new("head", "loss.exp", PointFunction.LossExp), tensor(new[] { 1e9 }));

        Assert.Equal(3 * ((2 + 1) / 4.0 + (0.5 + 0.001) / (4 - 0.002)), penalty.Take()!.item<double>(), 1e-12);
        Assert.Null(penalty.Take());
        Assert.Equal(4, recorder.Statistics[Gate].Count);
    }

    [Fact]
    public void Its_gradient_is_that_of_finite_differences_and_zero_inside()
    {
        using var scope = NewDisposeScope();
        var targets = new RangeTargets { Relu = 2 };
        double[] values = [0.5, 4, -3, 1.9, -2.5, 0];
        var penalty = new RangePenalty(targets, 0.7);
        var x = tensor(values).requires_grad_();
        penalty.Observe(Gate, x * x * x);
        penalty.Take()!.backward();

        var gradient = Tiny.Doubles(x.grad!);
        for (var i = 0; i < values.Length; i++)
        {
            var difference = (At(i, 1e-6) - At(i, -1e-6)) / 2e-6;
            Assert.Equal(difference, gradient[i], 1e-6);
        }

        Assert.Equal([0, 0], [gradient[0], gradient[5]]);
        Assert.DoesNotContain(0, gradient[1..5]);

        double At(int i, double step)
        {
            var probe = new RangePenalty(targets, 0.7);
            var moved = values.ToArray();
            moved[i] += step;
            probe.Observe(Gate, tensor(moved).pow(3));
            return probe.Take()!.item<double>();
        }
    }

    [Fact]
    public void Targets_are_the_published_domains()
    {
        var targets = new RangeTargets { NormBound = 20 };
        Assert.Equal((-50.0, 50.0), targets.Of(PointFunction.Relu));
        Assert.Equal((-16_384.0, 0.0), targets.Of(PointFunction.KernelExp));
        Assert.Equal((0.01, 20.0), targets.Of(PointFunction.NormInverseRoot));
        Assert.Null(targets.Of(PointFunction.OptimiserInverseRoot));
    }
}
