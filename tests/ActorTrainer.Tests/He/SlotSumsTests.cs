using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class SlotSumsTests
{
    private static readonly CkksParameters Toy = new(ParameterSets.ToyL15);

    /// <summary>Radix 4 raises and divides half as often as radix 2, for a key more in each step.</summary>
    [Theory]
    [InlineData(1, 4, 0, 0, 0)]
    [InlineData(2, 4, 0, 0, 1)]
    [InlineData(16, 4, 2, 6, 0)]
    [InlineData(32, 4, 2, 6, 1)]
    [InlineData(1024, 4, 5, 15, 0)]
    [InlineData(1024, 2, 0, 0, 10)]
    public void A_sum_takes_a_known_number_of_rotations(int count, int radix, int raises, int undivided, int rotations)
    {
        var plan = new PlanBackend(Toy);
        var evaluator = new Evaluator(plan);

        SlotSums.Sum(evaluator, plan.Encrypt(3), 1, count, radix);

        var ledger = evaluator.Ledger;
        Assert.Equal((raises, undivided, rotations), (ledger.Count(Operation.Raise), ledger.Count(Operation.RotateUndivided), ledger.Count(Operation.Rotate)));
        Assert.Equal(2 * raises, ledger.Count(Operation.DivideSpecial));
        Assert.Equal(SlotSums.Requests(Toy, 1, count, 3, radix).OrderBy(r => r.Element), ledger.Keys);
    }

    [Theory]
    [InlineData(1, 8, 4)]
    [InlineData(4, 16, 4)]
    [InlineData(4, 16, 2)]
    [InlineData(-2, 4, 4)]
    [InlineData(1, 1024, 4)]
    public void Ciphertexts_hold_the_sums_within_two_bits_of_the_noise_model(int stride, int count, int radix)
    {
        int[] rotations = [.. Enumerable.Range(1, 10).SelectMany(i => new[] { 1 << i, 3 << i }).Concat([1, 3]), -2, -4, -6];
        using var he = new HeFixture(ParameterSets.ToyL15, rotations);
        var x = he.Random(1);
        using var input = he.Encrypt(x, 3);

        using var sum = SlotSums.Sum(he.Evaluator, input, stride, count, radix);

        Complex[] expected = [.. x.Select((_, k) => Enumerable.Range(0, count).Aggregate(Complex.Zero, (total, i) => total + x[(k + (i * stride) + x.Length) % x.Length]))];
        var bits = Math.Log2(he.Error(sum, expected) / sum.EstimatedError);
        Assert.True(Math.Abs(bits) <= 2, $"{bits:F2} bits from the model.");
        Assert.Equal((3, input.Scale, count), (sum.Level, sum.Scale, (int)sum.Magnitude));
    }

    [Fact]
    public void The_total_of_all_slots_stands_in_every_slot_and_a_single_one_is_spread()
    {
        var twin = new TwinBackend(Toy);
        var evaluator = new Evaluator(twin);
        var x = Enumerable.Range(0, Toy.Slots).Select(i => (double)i).ToArray();
        var single = Enumerable.Range(0, Toy.Slots).Select(i => i % 8 == 0 ? i + 1.0 : 0).ToArray();

        var total = SlotSums.Sum(evaluator, twin.Encrypt(new PlainVector(x), 0), 1, Toy.Slots);
        var spread = SlotSums.Replicate(evaluator, twin.Encrypt(new PlainVector(single), 0), 1, 8);

        Assert.All(TwinBackend.Values(total), v => Assert.Equal(x.Sum(), v.Real));
        Assert.All(TwinBackend.Values(spread).Select((v, k) => (v.Real, k)), p => Assert.Equal((p.k / 8 * 8) + 1, p.Real));
    }

    [Theory]
    [InlineData(3, 4)]
    [InlineData(0, 4)]
    [InlineData(4, 3)]
    public void Counts_that_are_no_powers_of_two_are_refused(int count, int radix)
    {
        var plan = new PlanBackend(Toy);

        Assert.Throws<ArgumentException>(() => SlotSums.Sum(new Evaluator(plan), plan.Encrypt(3), 1, count, radix));
    }
}
