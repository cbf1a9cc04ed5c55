using System.Runtime.InteropServices;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using Xunit;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Crew;

/// <summary>Estimates against what the process really takes; alone, since others would be measured too.</summary>
[Collection("alone")]
public sealed class UnitMemoriesTests(ITestOutputHelper output) : IDisposable
{
    private const int Rows = 16;
    private const int Targets = 32;
    private const double Factor = 1.1;

    private readonly Tensor _input = randn([Rows, 128, 256]).requires_grad_(true).DetachFromDisposeScope();

    public void Dispose() => _input.Dispose();

    [Theory]
    [InlineData(AttentionKind.Softmax, 0)]
    [InlineData(AttentionKind.Softmax, 1)]
    [InlineData(AttentionKind.GaussianKernel, 1)]
    [InlineData(AttentionKind.Softmax, 2)]
    public void Activations_of_micro_batches_in_flight_are_near_the_estimate(AttentionKind attention, int unit)
    {
        var config = Config(attention);
        const int InFlight = 6;
        using var built = Build(config, unit);
        Forward(built, config).Dispose(); // what is allocated once
        var kept = new List<IDisposable>();

        var before = InUse();
        for (var i = 0; i < InFlight; i++)
        {
            kept.Add(Forward(built, config));
        }

        var measured = (InUse() - before) / InFlight;
        kept.ForEach(k => k.Dispose());
        Near(UnitMemories.Of(config, Rows, Targets, recompute: false)[unit].Activation, measured);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Weights_gradients_and_moments_are_near_the_estimate(int unit)
    {
        var config = Config(AttentionKind.Softmax) with { Hidden = 768, FeedForward = 3072, Heads = 12, Vocabulary = 8192 };
        UnitFactory.Create(config, unit, 1).Dispose();
        var before = InUse();
        using var built = UnitFactory.Create(config, unit, 1);
        using var optimiser = Optimiser(built);
        optimiser.Step(1e-3, 1); // touches all pages
        var estimate = UnitMemories.Of(config, 1, 0, recompute: false)[unit].Fixed;
        // The decoder's gradient is not there yet.
        var tied = unit == 0 ? (long)config.Vocabulary * config.Hidden * 4 : 0;
        Near(estimate - tied, InUse() - before);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    public void Weights_gradients_and_moments_in_fine_tuning_are_near_the_estimate(bool adapters, int unit)
    {
        var config = Config(AttentionKind.Softmax) with { Hidden = 768, FeedForward = 3072, Heads = 12, Vocabulary = 8192, FusedQkv = false };
        var shape = new FineTuneShape { PoolerWidth = 8192, PoolerRank = 256, Lora = adapters ? new LoraShape { Rank = 2 } : null };
        UnitFactory.Create(config, unit, 1, fineTune: shape).Dispose();
        var before = InUse();
        using var built = UnitFactory.Create(config, unit, 1, fineTune: shape);
        using var optimiser = Optimiser(built);
        optimiser.Step(1e-3, 1);
        Near(UnitMemories.OfFineTuning(config, shape, 1, recompute: false)[unit].Fixed, InUse() - before);
    }

    [Fact]
    public void Recomputation_trades_activations_in_flight_for_one_set_of_them()
    {
        var config = Config(AttentionKind.Softmax);
        var plain = UnitMemories.Of(config, Rows, Targets, recompute: false);
        var again = UnitMemories.Of(config, Rows, Targets, recompute: true);

        Assert.Equal(config.Layers + 2, plain.Count);
        Assert.All(plain.Zip(again), pair => Assert.Equal(pair.Item1.Fixed + pair.Item1.Activation, pair.Item2.Fixed));
        Assert.True(again[1].Activation * 10 < plain[1].Activation);
    }

    private static BertConfig Config(AttentionKind attention) => new()
    {
        Layers = 1,
        Hidden = 256,
        Heads = 4,
        FeedForward = 1024,
        Vocabulary = 4096,
        Sequence = 128,
        Attention = attention,
        FusedQkv = attention == AttentionKind.Softmax,
    };

    /// <summary>An optimiser of a unit whose gradients are there.</summary>
    private static AdamW Optimiser(ModelUnit unit)
    {
        foreach (var parameter in unit.Parameters)
        {
            using var values = parameter.Value.detach();
            parameter.Value.grad = ones_like(values);
        }

        return new AdamW(unit.Parameters, new AdamWOptions());
    }

    private static ModelUnit Build(BertConfig config, int index)
    {
        var unit = UnitFactory.Create(config, index, 1);
        if (unit is MlmHeadUnit head)
        {
            using var table = EmbeddingUnit.InitialTable(config, 1);
            head.UntiedCopy(table);
        }

        return unit;
    }

    /// <summary>What a stage keeps of a micro-batch: output and, for a head, the hidden state it came from.</summary>
    private KeptTensors Forward(ModelUnit unit, BertConfig config)
    {
        using var scope = NewDisposeScope();
        var context = new ForwardContext(1, 1, 0, Training: true);
        var targets = Rows * Targets;
        if (unit is EmbeddingUnit embedding)
        {
            var ids = randint(0, config.Vocabulary, [Rows, config.Sequence], ScalarType.Int64);
            return new([ids.DetachFromDisposeScope(), embedding.Forward(ids, context).DetachFromDisposeScope()]);
        }

        if (unit is EncoderLayerUnit layer)
        {
            return new([layer.Forward(_input, null, context).DetachFromDisposeScope()]); // the input is the output of the unit before
        }

        var hidden = randn([Rows, config.Sequence, config.Hidden]).requires_grad_(true);
        var loss = ((MlmHeadUnit)unit).Loss(
            hidden, arange(0, targets, ScalarType.Int64), randint(0, config.Vocabulary, [targets], ScalarType.Int64), 1);
        return new([hidden.DetachFromDisposeScope(), loss.DetachFromDisposeScope()]);
    }

    /// <summary>Bytes that the C library has handed out and not got back, in all its arenas.</summary>
    private static long InUse()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var info = mallinfo2();
        return (long)(info.UsedBlocks + info.MappedBytes);
    }

    [DllImport("libc")]
    private static extern MallocInfo mallinfo2();

    private void Near(long estimate, long measured)
    {
        output.WriteLine($"estimated {StageMemory.Text(estimate)}, measured {StageMemory.Text(measured)}");
        Assert.True(
            measured <= estimate * Factor && measured >= estimate / Factor, $"estimated {StageMemory.Text(estimate)}, measured {StageMemory.Text(measured)}");
    }

    /// <summary>glibc's <c>struct mallinfo2</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallocInfo
    {
        private readonly nuint _arena;
        private readonly nuint _freeBlocks;
        private readonly nuint _smallBlocks;
        private readonly nuint _mappedBlocks;
        public readonly nuint MappedBytes;
        private readonly nuint _unused;
        private readonly nuint _smallFree;
        public readonly nuint UsedBlocks;
        private readonly nuint _free;
        private readonly nuint _releasable;
    }

    private sealed record KeptTensors(Tensor[] Tensors) : IDisposable
    {
        public void Dispose()
        {
            foreach (var tensor in Tensors)
            {
                tensor.Dispose();
            }
        }
    }
}
