using System.Text;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Tests.Optimisation;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Checkpoints;

public sealed class UnitStateTests : IDisposable
{
    private static readonly byte[] Rng = [1, 2, 3, 255, 0];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_unit_comes_back_bit_for_bit_and_trains_on_alike()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 5);
        var (fresh, other) = Trained(2, 1);
        var rng = Read(Bytes(parameters, optimiser), fresh, other);
        Assert.Equal(Rng, rng);
        Assert.Equal(5, other.StepCount);
        Assert.Equal(StateDigest.Of(parameters, optimiser, Rng), StateDigest.Of(fresh, other, rng));
        Train(parameters, optimiser, 6, 9);
        Train(fresh, other, 6, 9);
        Assert.Equal(StateDigest.Of(parameters, optimiser, Rng), StateDigest.Of(fresh, other, rng));
    }

    [Fact]
    public void A_unit_is_read_into_an_optimiser_that_has_other_units_too()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 3);
        var one = parameters.Take(2).ToList();
        var (all, other) = Trained(2, 1);
        var untouched = all[3].Value.bytes.ToArray();
        Read(Bytes(one, optimiser), all.Take(2).ToList(), other);
        Assert.Equal(StateDigest.Of(one, optimiser, Rng), StateDigest.Of(all.Take(2).ToList(), other, Rng));
        Assert.Equal(untouched, all[3].Value.bytes.ToArray());
    }

    [Fact]
    public void The_file_is_safetensors_with_little_endian_floats()
    {
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 1f, 2f }).requires_grad_(true);
        using var optimiser = new AdamW([new NamedParameter("w", w, true)], new AdamWOptions());
        var bytes = Bytes(optimiser.Parameters, optimiser);
        var length = (int)BitConverter.ToInt64(bytes);
        Assert.Equal(0, length % 8);
        Assert.Equal(
            """
            {"__metadata__":{"optimiser_step":"0"},
            "w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "w.exp_avg":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},
            "w.exp_avg_sq":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},
            "rng_state":{"dtype":"U8","shape":[5],"data_offsets":[24,29]}}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(bytes, 8, length).TrimEnd());
        Assert.Equal([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40], bytes[(8 + length)..(16 + length)]);
        Assert.Equal(Rng, bytes[^5..]);
    }

    [Fact]
    public void No_random_state_is_a_random_state_of_no_bytes()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 1);
        using var stream = new MemoryStream();
        UnitStateFile.Write(stream, parameters, optimiser, []);
        Assert.Empty(Read(stream.ToArray(), parameters, optimiser));
    }

    [Fact]
    public void Equal_states_give_equal_bytes_whatever_the_order_of_the_parameters()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 2);
        var (twins, twin) = Trained(1, 2);
        var bytes = Bytes(parameters, optimiser);
        Assert.Equal(bytes, Bytes(twins, twin));
        Assert.Equal(bytes, Bytes(Enumerable.Reverse(parameters).ToList(), optimiser));
        Read(bytes, Enumerable.Reverse(twins).ToList(), twin);
        Assert.Equal(bytes, Bytes(twins, twin));
    }

    [Fact]
    public void Another_unit_is_refused_and_nothing_changes()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 2);
        var good = Bytes(parameters, optimiser);
        var cases = new (string Expected, IReadOnlyList<NamedParameter> Mine)[]
        {
            ("expected a tensor odd", [parameters[0] with { Name = "odd" }, .. parameters.Skip(1)]),
            ("unit.4.weight", parameters.SkipLast(1).ToList()),
            ("unit.1.weight is F32 [768], but the model has F32 [3]", Replaced(parameters, ones(3))),
            ("but the model has F64 [768]", Replaced(parameters, ones(768, ScalarType.Float64))),
        };
        foreach (var (expected, mine) in cases)
        {
            using var other = new AdamW(mine, new AdamWOptions());
            var before = StateDigest.Of(mine, other, Rng);
            var message = Assert.Throws<RefusedException>(() => Read(good, mine, other)).Message;
            Assert.StartsWith(UnitFile, message);
            Assert.Contains(expected, message);
            Assert.Equal(before, StateDigest.Of(mine, other, Rng));
        }
    }

    [Fact]
    public void A_file_cut_anywhere_or_with_more_after_it_is_refused_and_nothing_changes()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 2);
        var good = Bytes(parameters, optimiser);
        var before = StateDigest.Of(parameters, optimiser, Rng);
        foreach (var bytes in new[] { good[..^1], good[..5], good[..40], good[..(good.Length / 2)], [], [.. good, 0], new byte[64], [.. Enumerable.Repeat((byte)255, 64)] })
        {
            Assert.StartsWith(UnitFile, Assert.Throws<RefusedException>(() => Read(bytes, parameters, optimiser)).Message);
            Assert.Equal(before, StateDigest.Of(parameters, optimiser, Rng));
        }

        File.Delete(UnitFile);
        Assert.StartsWith(UnitFile, Assert.Throws<RefusedException>(() => UnitStateFile.Read(UnitFile, parameters, optimiser)).Message);
    }

    [Theory]
    [InlineData("\"F32\"", "\"F33\"")]
    [InlineData("[0,3072]", "[4,3076]")]
    [InlineData("\"optimiser_step\"", "\"optimised_step\"")]
    [InlineData("\"rng_state\"", "\"rng_stats\"")]
    [InlineData("\"shape\":[768]", "\"shape\":[-68]")]
    [InlineData("\"shape\":[768]", "\"shape\":[7.8]")]
    [InlineData("\"shape\"", "\"shapo\"")]
    [InlineData("\"U8\"", "\"I8\"")]
    [InlineData("\"shape\":[5]", "\"shape\":[6]")]
    [InlineData("unit.1.weight.exp_avg_sq", "unit.1.weight.exp_avg_no")]
    [InlineData("{\"__metadata__\"", "[\"__metadata__\"")]
    public void A_header_that_makes_no_sense_is_refused_and_nothing_changes(string old, string with)
    {
        using var scope = NewDisposeScope();
        var parameters = TestParameters.Make(1)[1..2];
        using var optimiser = new AdamW(parameters, new AdamWOptions());
        var text = Encoding.Latin1.GetString(Bytes(parameters, optimiser));
        parameters = TestParameters.Make(2)[1..2];
        using var other = new AdamW(parameters, new AdamWOptions());
        var before = StateDigest.Of(parameters, other, Rng);
        Assert.Contains(old, text);
        var bytes = Encoding.Latin1.GetBytes(text.Replace(old, with));
        Assert.StartsWith(UnitFile, Assert.Throws<RefusedException>(() => Read(bytes, parameters, other)).Message);
        Assert.Equal(before, StateDigest.Of(parameters, other, Rng));
    }

    [Fact]
    public void Equal_states_have_equal_digests_and_any_change_shows_where_it_is()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 3);
        var (twins, twin) = Trained(1, 3);
        var start = StateDigest.Of(parameters, optimiser, Rng);
        Assert.Equal(start, StateDigest.Of(twins, twin, Rng));
        Assert.All(new[] { start.Weights, start.Optimiser, start.Rng }, digest => Assert.Matches("^[0-9a-f]{64}$", digest));

        Assert.Equal(start with { Rng = Digest([1, 2, 3, 255]).Rng }, Digest([1, 2, 3, 255]));
        Assert.NotEqual(start.Rng, Digest([1, 2, 3, 255]).Rng);
        foreach (var parameter in parameters)
        {
            var state = optimiser.State(parameter.Name);
            Assert.True(Flipped(parameter.Value, d => d.Weights != start.Weights && d.Optimiser == start.Optimiser));
            Assert.True(Flipped(state.ExpAvg, d => d.Weights == start.Weights && d.Optimiser != start.Optimiser));
            Assert.True(Flipped(state.ExpAvgSq, d => d.Weights == start.Weights && d.Optimiser != start.Optimiser));
        }

        optimiser.StepCount++;
        Assert.Equal(start.Weights, Digest(Rng).Weights);
        Assert.NotEqual(start.Optimiser, Digest(Rng).Optimiser);

        StateDigest Digest(byte[] rng) => StateDigest.Of(parameters, optimiser, rng);

        bool Flipped(Tensor value, Func<StateDigest, bool> check)
        {
            value.bytes[^1] ^= 1;
            var result = check(Digest(Rng));
            value.bytes[^1] ^= 1;
            return result && Digest(Rng) == start;
        }
    }

    [Fact]
    public void Names_shapes_and_layout_are_part_of_the_digest_and_strides_are_not()
    {
        using var scope = NewDisposeScope();
        var value = arange(6, ScalarType.Float32).reshape(2, 3);
        var start = Weights("w", value);
        Assert.Equal(start, Weights("w", value.t().contiguous().t()));
        Assert.NotEqual(start, Weights("v", value));
        Assert.NotEqual(start, Weights("w", value.reshape(3, 2)));
        var sameBytes = zeros([2, 3], ScalarType.Int32);
        value.bytes.CopyTo(sameBytes.bytes);
        Assert.NotEqual(start, Weights("w", sameBytes));

        static string Weights(string name, Tensor tensor)
        {
            var parameter = new NamedParameter(name, tensor, true);
            using var optimiser = new AdamW([parameter], new AdamWOptions());
            return StateDigest.Of([parameter], optimiser, []).Weights;
        }
    }

    [Fact]
    public void Writing_reading_and_hashing_leave_no_tensor_behind()
    {
        using var scope = NewDisposeScope();
        var (parameters, optimiser) = Trained(1, 1);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 20; i++)
        {
            Read(Bytes(parameters, optimiser), parameters, optimiser);
            StateDigest.Of(parameters, optimiser, Rng);
            optimiser.LoadState(1, optimiser.NamedState);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static (List<NamedParameter> Parameters, AdamW Optimiser) Trained(int seed, int steps)
    {
        var parameters = TestParameters.Make(seed);
        var optimiser = new AdamW(parameters, new AdamWOptions());
        Train(parameters, optimiser, 1, steps);
        return (parameters, optimiser);
    }

    private static void Train(List<NamedParameter> parameters, AdamW optimiser, int from, int to)
    {
        for (var step = from; step <= to; step++)
        {
            TestParameters.SetGradients(parameters, step);
            optimiser.Step(1e-3);
            optimiser.ZeroGrad();
        }
    }

    private static List<NamedParameter> Replaced(List<NamedParameter> parameters, Tensor second) =>
        parameters.Select((p, i) => i == 1 ? p with { Value = second } : p).ToList();

    private string UnitFile => _folder["unit"];

    private byte[] Read(byte[] content, IReadOnlyList<NamedParameter> parameters, AdamW optimiser)
    {
        File.WriteAllBytes(UnitFile, content);
        return UnitStateFile.Read(UnitFile, parameters, optimiser);
    }

    private static byte[] Bytes(IReadOnlyList<NamedParameter> parameters, AdamW optimiser)
    {
        using var stream = new MemoryStream();
        UnitStateFile.Write(stream, parameters, optimiser, Rng);
        return stream.ToArray();
    }
}
