using ActorTrainer.Model.Bert;
using ActorTrainer.Tests.Bert;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.FineTuning;

public class ProbeAndPaddingTests
{
    public static TheoryData<AttentionKind, int, bool> Cases() => new()
    {
        { AttentionKind.Softmax, 2, true },
        { AttentionKind.GaussianKernel, 2, true },
        { AttentionKind.GaussianKernel, 2, false },
        { AttentionKind.GaussianKernel, 1, true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_probe_changes_no_bit_of_loss_and_gradients_and_is_shown_every_function(AttentionKind attention, int outputs, bool masked)
    {
        using var scope = NewDisposeScope();
        var shape = TinyFineTuned.Shape(outputs, dropout: 0.2);
        using var model = TinyFineTuned.Model(TinyFineTuned.Arch(attention, dropout: 0.2), shape);
        var mask = masked ? Tiny.Mask() : null;
        var probe = new RecordingProbe();

        var plain = Run(Tiny.Context);
        var probed = Run(Tiny.Context with { Probe = probe });

        Assert.Equal(plain.Count, probed.Count);
        Assert.All(plain.Zip(probed), pair => Assert.Equal(pair.Item1, pair.Item2));
        string[] layer = attention == AttentionKind.Softmax ? ["norm1", "norm2", "gate"] : ["norm1", "attention", "norm2", "gate"];
        Assert.Equal(
            [
                .. layer.Select(place => $"layers.0.{place}"), .. layer.Select(place => $"layers.1.{place}"), "head.norm", "head.pooler",
                .. outputs == 1 ? Array.Empty<string>() : ["head.loss.exp", "head.loss.sum"],
            ],
            probe.Seen.Select(seen => seen.Site.ToString()));
        Assert.All(probe.Seen.Where(seen => seen.Site.Function == PointFunction.KernelExp), seen => Assert.InRange(seen.Values.Min(), -1000, 0));

        List<float[]> Run(ForwardContext context)
        {
            var learned = model.Units.SelectMany(unit => unit.Parameters).ToList();
            learned.ForEach(parameter => parameter.Value.grad = null);
            var loss = model.Head.Loss(model.Encode(Tiny.Ids(), mask, context), [TinyFineTuned.TargetsOf(shape)], 0.5, context);
            loss.backward();
            return [Tiny.Floats(loss), .. learned.Select(parameter => Tiny.Floats(parameter.Value.grad!))];
        }
    }

    [Theory]
    [InlineData(AttentionKind.Softmax)]
    [InlineData(AttentionKind.GaussianKernel)]
    public void Rows_padded_to_the_longest_and_to_the_whole_sequence_give_the_same_logits_and_gradients(AttentionKind attention)
    {
        using var scope = NewDisposeScope();
        var arch = TinyFineTuned.Arch(attention) with { Sequence = 24 };
        var shape = TinyFineTuned.Shape();
        using var model = TinyFineTuned.Model(arch, shape);
        var full = zeros(3, 24, ScalarType.Int64);
        foreach (var (row, length) in new[] { 3, 8, 5 }.Select((length, row) => (row, length)))
        {
            full[row, ..length] = tensor(Enumerable.Range(0, length).Select(i => 1L + (i * 3 + row) % 10).ToArray());
        }

        var (longest, whole) = (Run(full.narrow(1, 0, 8)), Run(full));
        Assert.All(longest.Zip(whole), pair => Assert.All(pair.Item1.Zip(pair.Item2), values =>
            Assert.True(Math.Abs(values.Item1 - values.Item2) <= 1e-5 * Math.Max(1, Math.Abs(values.Item2)), $"{values.Item1} against {values.Item2}")));

        List<float[]> Run(Tensor ids)
        {
            var learned = model.Units.SelectMany(unit => unit.Parameters).ToList();
            learned.ForEach(parameter => parameter.Value.grad = null);
            var mask = ids.ne(0).to(ScalarType.Int64);
            model.Head.Loss(model.Encode(ids, mask, default), [tensor(new[] { 1L, 0L, 1L })], 1.0 / 3, default).backward();
            return [Tiny.Floats(model.Logits(ids, mask, default)), .. learned.Select(parameter => Tiny.Floats(parameter.Value.grad!))];
        }
    }
}
