using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Bootstrapping;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He.Bootstrapping;

/// <summary>The matrices on plain numbers.</summary>
public sealed class FourierFactorsTests
{
    public static TheoryData<int, int, int?> Grid()
    {
        var data = new TheoryData<int, int, int?>();
        foreach (var log in new[] { 1, 2, 3, 5, 6, 7 })
        {
            for (var matrices = 1; matrices <= Math.Min(4, log); matrices++)
            {
                data.Add(1 << log, matrices, null);
                data.Add(1 << log, matrices, 3);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Grid))]
    public void Slots_become_coefficients_in_reversed_order_of_bits(int slots, int matrices, int? babySteps)
    {
        var z = Random(slots);

        var found = Apply(FourierFactors.ToCoefficients(slots, BootstrapShape.Split(BitOperations.Log2((uint)slots), matrices), babySteps), z);

        Close(Fourier(Reversed(z), toSlots: true), found);
    }

    [Theory]
    [MemberData(nameof(Grid))]
    public void Coefficients_become_slots_in_reversed_order_of_bits_times_the_constant(int slots, int matrices, int? babySteps)
    {
        var z = Random(slots);

        var found = Apply(FourierFactors.ToSlots(slots, BootstrapShape.Split(BitOperations.Log2((uint)slots), matrices), 0.375, babySteps), z);

        Close([.. Reversed(Fourier(z, toSlots: false)).Select(v => 0.375 * v)], found);
    }

    [Theory]
    [MemberData(nameof(Grid))]
    public void Both_ways_in_a_row_change_nothing(int slots, int matrices, int? babySteps)
    {
        var (z, stages) = (Random(slots), BootstrapShape.Split(BitOperations.Log2((uint)slots), matrices));

        Close(z, Apply(FourierFactors.ToSlots(slots, stages, 1, babySteps), Apply(FourierFactors.ToCoefficients(slots, stages, babySteps), z)));
    }

    /// <summary>s stages have shifts from −(2^s − 1) to 2^s − 1 times a stride; with all stages in one matrix there is every diagonal.</summary>
    [Theory]
    [InlineData(1024, 3)]
    [InlineData(1024, 4)]
    [InlineData(1024, 2)]
    public void A_matrix_of_s_stages_has_fewer_than_two_to_s_plus_one_diagonals(int slots, int matrices)
    {
        var stages = BootstrapShape.Split(10, matrices);
        var (forth, back) = (FourierFactors.ToCoefficients(slots, stages), FourierFactors.ToSlots(slots, stages, 1, 6));

        Assert.Equal(10, stages.Sum());
        Assert.True(stages.Max() - stages.Min() <= 1);
        for (var i = 0; i < matrices; i++)
        {
            Assert.InRange(forth[i].Diagonals.Count, 1 << stages[i], (1 << (stages[i] + 1)) - 1);
            Assert.InRange(back[i].Diagonals.Count, 1 << stages[i], (1 << (stages[i] + 1)) - 1);
        }

        Assert.True(back.Sum(matrix => matrix.BabySteps) <= 6 * matrices);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Baby_steps_go_to_the_matrices_where_they_save_most_giant_steps(int average)
    {
        int[] stages = [4, 4, 4, 3];
        var alike = FourierFactors.ToSlots(1 << 15, stages, 1).Sum(matrix => (matrix.Last - matrix.First) / matrix.Stride / average);

        var found = FourierFactors.ToSlots(1 << 15, stages, 1, average);

        Assert.True(found.Sum(matrix => matrix.BabySteps) <= 4 * average);
        Assert.True(found.Sum(matrix => matrix.GiantSteps - 1) < alike);
    }

    [Fact]
    public void Matrices_over_small_blocks_have_diagonals_of_one_block()
    {
        Assert.Equal([1 << 15, 1 << 11, 1 << 7, 1 << 3], FourierFactors.ToSlots(1 << 15, [4, 4, 4, 3], 0.1).Select(matrix => matrix.Length));
        Assert.Equal([1 << 5, 1 << 10, 1 << 15], FourierFactors.ToCoefficients(1 << 15, [5, 5, 5]).Select(matrix => matrix.Length));
    }

    [Fact]
    public void Stages_that_do_not_add_up_are_refused()
    {
        Assert.Contains("4 together for 16 slots", Assert.Throws<ArgumentException>(() => FourierFactors.ToCoefficients(16, [2, 1])).Message);
        Assert.Throws<ArgumentException>(() => FourierFactors.ToSlots(16, [4, 0], 1));
    }

    private static Complex[] Random(int slots)
    {
        var random = new Random(slots);
        return [.. Enumerable.Range(0, slots).Select(_ => new Complex((2 * random.NextDouble()) - 1, (2 * random.NextDouble()) - 1))];
    }

    private static Complex[] Reversed(Complex[] values) => [.. Enumerable.Range(0, values.Length).Select(i => values[NttRoots.Reverse(i, BitOperations.Log2((uint)values.Length))])];

    private static Complex[] Fourier(Complex[] values, bool toSlots)
    {
        double[] re = [.. values.Select(v => v.Real)], im = [.. values.Select(v => v.Imaginary)];
        var fourier = new SpecialFourier(BitOperations.Log2((uint)values.Length) + 1);
        if (toSlots)
        {
            fourier.ToSlots(re, im);
        }
        else
        {
            fourier.ToCoefficients(re, im);
        }

        return [.. re.Zip(im, (x, y) => new Complex(x, y))];
    }

    private static Complex[] Apply(IEnumerable<DiagonalMatrix> matrices, Complex[] values) => matrices.Aggregate(values, (x, matrix) =>
    {
        var y = new Complex[x.Length];
        foreach (var diagonal in matrix.Diagonals)
        {
            for (var k = 0; k < y.Length; k++)
            {
                y[k] += diagonal.Values.Values[k & (diagonal.Values.Values.Count - 1)] * x[(k + diagonal.Shift) & (x.Length - 1)];
            }
        }

        return y;
    });

    private static void Close(Complex[] expected, Complex[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        Assert.All(expected.Zip(found, (a, b) => (Wanted: a, Found: b)), pair => Assert.True((pair.Wanted - pair.Found).Magnitude < 1e-12 * expected.Length, $"{pair.Wanted} and {pair.Found}"));
    }
}
