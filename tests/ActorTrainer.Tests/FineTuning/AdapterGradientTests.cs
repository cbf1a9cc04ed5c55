using System.Runtime.InteropServices;
using ActorTrainer.Model.Bert;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuning;

/// <summary>Gradients of what is learned with adapters against central finite differences in float64, every coordinate.</summary>
public class AdapterGradientTests
{
    public static TheoryData<AttentionKind, int, double, bool> Cases()
    {
        var data = new TheoryData<AttentionKind, int, double, bool>();
        foreach (var attention in Enum.GetValues<AttentionKind>())
        {
            data.Add(attention, 2, 0, true);
            data.Add(attention, 1, 0, true);
            data.Add(attention, 3, 0, false);
            data.Add(attention, 2, 0.3, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_coordinate_agrees_with_differences_and_frozen_tensors_get_no_gradient(AttentionKind attention, int outputs, double dropout, bool masked)
    {
        using var scope = NewDisposeScope();
        var shape = TinyFineTuned.Shape(outputs, dropout);
        using var model = TinyFineTuned.Model(TinyFineTuned.Arch(attention, dropout), shape, ScalarType.Float64);
        var mask = masked ? Tiny.Mask() : null;
        Loss().backward();

        var learned = model.Units.SelectMany(unit => unit.Parameters).ToList();
        Assert.Equal(2 * 3 * 2 + 6, learned.Count);
        foreach (var (name, value, _) in learned)
        {
            var gradient = Tiny.Doubles(value.grad ?? throw new InvalidOperationException($"{name} has no gradient."));
            Assert.Contains(gradient, x => Math.Abs(x) > 1e-9);
            for (var i = 0; i < gradient.Length; i++)
            {
                const double H = 1e-5;
                var slope = (Moved(value, i, H) - Moved(value, i, -H)) / (2 * H);
                Assert.True(Math.Abs(slope - gradient[i]) <= 2e-6 * Math.Max(1e-2, Math.Abs(slope)), $"{name}[{i}]: gradient {gradient[i]}, difference quotient {slope}");
            }
        }

        Assert.All(model.Units.SelectMany(unit => unit.Frozen), tensor => Assert.True(tensor.Value.grad is null, tensor.Name));

        Tensor Loss() => model.Head.Loss(model.Encode(Tiny.Ids(), mask, Tiny.Context), [TinyFineTuned.TargetsOf(shape)], 0.5, Tiny.Context);

        double Moved(Tensor parameter, int index, double by)
        {
            using var inner = NewDisposeScope();
            using var noGrad = no_grad();
            var memory = MemoryMarshal.Cast<byte, double>(parameter.bytes);
            var old = memory[index];
            memory[index] = old + by;
            try
            {
                return Loss().item<double>();
            }
            finally
            {
                memory[index] = old;
            }
        }
    }

    [Fact]
    public void Adapters_have_dropout_masks_of_their_own_that_depend_on_their_keys_alone()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var shape = TinyFineTuned.Shape(dropout: 0.5);
        using var model = TinyFineTuned.Model(TinyFineTuned.Arch(AttentionKind.GaussianKernel), shape);
        var first = Run(Tiny.Context);
        Assert.Equal(first, Run(Tiny.Context));
        Assert.NotEqual(first, Run(Tiny.Context with { Step = 2 }));
        Assert.NotEqual(first, Run(Tiny.Context with { MicroBatch = 1 }));
        Assert.NotEqual(first, Run(Tiny.Context with { Seed = 2 }));
        Assert.NotEqual(first, Run(Tiny.Context with { Training = false }));

        // With keys made equal to queries, the distance of a token to itself is zero unless their masks differ.
        foreach (var (key, query) in model.Units.SelectMany(unit => unit.Parameters.Concat(unit.Frozen))
            .Where(tensor => tensor.Name.Contains(".key.", StringComparison.Ordinal))
            .Select(key => (key.Value, Named(key.Name.Replace(".key.", ".query.", StringComparison.Ordinal)))))
        {
            key.detach().copy_(query);
        }

        Assert.True(SelfDistance(Tiny.Context with { Training = false }) < 1e-5);
        Assert.True(SelfDistance(Tiny.Context) > 1e-2);

        float[] Run(ForwardContext context) => Tiny.Floats(model.Logits(Tiny.Ids(), Tiny.Mask(), context));

        Tensor Named(string name) => model.Units.SelectMany(unit => unit.Parameters.Concat(unit.Frozen)).Single(tensor => tensor.Name == name).Value;

        double SelfDistance(ForwardContext context)
        {
            var probe = new RecordingProbe();
            model.Logits(Tiny.Ids(), null, context with { Probe = probe });
            var exponents = probe.Seen.First(pair => pair.Site.Function == PointFunction.KernelExp).Values;
            return Enumerable.Range(0, exponents.Length / 36).SelectMany(matrix => Enumerable.Range(0, 6).Select(i => Math.Abs(exponents[matrix * 36 + i * 7]))).Max();
        }
    }
}
