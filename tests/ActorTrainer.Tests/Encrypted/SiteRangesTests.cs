using System.Numerics;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>What is refreshed in training on the twin, against the intervals that layers and optimiser declare.</summary>
public sealed class SiteRangesTests
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 1)]
    public void All_refreshed_values_of_training_steps_lie_in_the_declared_ranges(int layers, int outputs)
    {
        using var task = new MadeTask(layers, outputs);
        var watch = new Watch(task);

        watch.Step(1.0 / task.Batch);
        watch.Step(1.0 / task.Batch);

        Assert.Empty(watch.Guard.Warnings);
        var declared = watch.Model.Ranges.Select(range => range.Site).ToHashSet();
        Assert.Equal(watch.Model.Ranges.Count(), declared.Count);
        var watched = watch.Sites.Where(declared.Contains).ToHashSet();
        string[] expected =
        [
            .. Enumerable.Range(0, layers).SelectMany(i => new[] { "norm1.variance", "norm1.root.newton", "attention.exponent.0.0", "norm2.variance", "norm2.root.newton", "ffn.gate", "ffn.step.1", "optimiser0.square" }
                .Select(site => $"layers.{i}.{site}")),
            "head.norm.variance", "head.tanh.0", "head.optimiser0.square",
            .. outputs == 1 ? Array.Empty<string>() : ["head.loss.exp.0", "head.loss.exp.1", "head.loss.sum"],
        ];
        Assert.Superset(expected.ToHashSet(), watched);
    }

    [Theory]
    [InlineData("layers.0", "dense_out.weight", 12, "layers.1.norm1.variance")]
    [InlineData("layers.0", "query.weight", 12, "layers.0.attention.exponent.0.0")]
    [InlineData("layers.1", "attn.dense.weight", 40, "layers.1.norm2.variance")]
    [InlineData("layers.0", "dense_in.weight", 6, "layers.0.ffn.gate")]
    [InlineData("head", "lora_b.weight", 15, "head.tanh.0")]
    [InlineData("head", "head.weight", 40, "head.loss.exp.0")]
    public void A_function_that_leaves_its_domain_is_reported_first_and_at_its_site(string unit, string weight, double factor, string site)
    {
        using var task = new MadeTask(layers: 2, outputs: 2);
        using (no_grad())
        {
            var of = task.Units.Single(u => u.Name == unit);
            of.Frozen.Concat(of.Parameters).Single(p => p.Name.EndsWith(weight, StringComparison.Ordinal)).Value.mul_(factor);
        }

        var watch = new Watch(task);

        Assert.Equal(site, watch.FirstOutside(1.0 / task.Batch));
    }

    [Fact]
    public void Gradients_too_large_for_the_optimisers_root_are_reported_at_its_square()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        var watch = new Watch(task);

        Assert.Equal("layers.0.optimiser0.square", watch.FirstOutside(scale: 1000));
    }

    [Fact]
    public void Sums_of_exponentials_are_reported_where_each_of_them_is_in_range()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        using (no_grad())
        {
            // Less than the largest exponent, 4, and more than the largest sum, 12, takes.
            task.Units[^1].Parameters.Single(p => p.Name == "head.bias").Value.fill_(2.6);
            task.Units[^1].Parameters.Single(p => p.Name == "head.weight").Value.mul_(0.01);
        }

        Assert.Equal("head.loss.sum", new Watch(task).FirstOutside(1.0 / task.Batch));
    }

    [Fact]
    public void Exponents_of_padding_may_be_anything_and_those_of_real_tokens_may_not()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        var packing = task.Recipe.Packing(new CkksParameters(ParameterSets.ToyL15));
        using var model = MadeTwin.Build(task, new TwinBackend(new CkksParameters(ParameterSets.ToyL15)), out _);
        var range = model.Ranges.Single(r => r.ShiftGroup == 0);
        int[] lengths = [8, 5, 3, 2];
        var guard = new RangeGuard([range], new RealTokens(packing, [range], _ => lengths).Slots);
        var key = new RefreshKey("r", 1, 1, Phase.Train, 0, range.Site, 0);
        Complex[] Wild(Func<int, int, int, bool> where) => [.. Enumerable.Range(0, packing.Slots).Select(slot =>
            where(slot / packing.FeatureStride, slot % packing.PlaceStride / packing.Batch, slot % packing.Batch) ? new Complex(1e6, 0) : 1)];

        guard.Observed(key, 0, Wild((place, t, b) => place >= packing.Tokens || (t + place) % packing.Tokens >= lengths[b]));
        Assert.Empty(guard.Warnings);
        guard.Observed(key, 0, Wild((place, t, b) => place == 3 && t == 1 && b == 1));

        var heads = packing.HeadsPerCiphertext;
        var real = heads * packing.Tokens * lengths.Sum();
        Assert.Equal((heads, 2 * real), (Assert.Single(guard.Warnings).Outside, guard.Warnings[0].Seen));
    }

    /// <summary>A model on the twin whose refreshes a guard sees, as the owner's would.</summary>
    private sealed class Watch : IRefresher
    {
        private readonly MadeTask _task;
        private readonly TwinBackend _twin = new(new CkksParameters(ParameterSets.ToyL15));
        private readonly ClearRefresher _inner;
        private readonly TensorMath _math;
        private string? _first;
        private int _step;

        public Watch(MadeTask task)
        {
            (_task, _inner) = (task, new ClearRefresher(_twin));
            Model = MadeTwin.Build(task, _twin, out _math, this);
            var lengths = task.Lengths;
            Guard = new RangeGuard(Model.Ranges, new RealTokens(_math.Packing, Model.Ranges, _ => lengths).Slots);
        }

        public EncryptedModel Model { get; }

        public RangeGuard Guard { get; }

        public HashSet<string> Sites { get; } = [];

        public int MaxLevel => _inner.MaxLevel;

        public void Step(double scale)
        {
            using var batch = MadeTwin.Encrypted(_task, _twin, _math.Packing, _step++);
            Model.Step(_math, [batch], scale, MadeTask.LearningRate);
        }

        /// <summary>The site of a step's first values out of range.</summary>
        public string? FirstOutside(double scale)
        {
            Step(scale);
            return _first;
        }

        public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
        {
            Sites.Add(site);
            for (var i = 0; i < ciphertexts.Count; i++)
            {
                Guard.Observed(new RefreshKey("r", 1, _step, Phase.Train, 0, site, 0), i, TwinBackend.Values(ciphertexts[i]));
            }

            _first ??= Guard.Warnings is [{ } warning, ..] ? warning.Site : null;
            return _inner.Refresh(ciphertexts, level, site);
        }
    }
}
