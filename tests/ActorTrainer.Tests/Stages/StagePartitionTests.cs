using ActorTrainer.Model.Common;
using ActorTrainer.Model.Stages;
using CsCheck;
using Xunit;

namespace ActorTrainer.Tests.Stages;

public class StagePartitionTests
{
    private static readonly Gen<(double[] Costs, int Parts)> Cases =
        Gen.Int[1, 9].SelectMany(units => Gen.Select(Gen.Int[0, 6].Select(i => (double)i).Array[units], Gen.Int[1, units]));

    [Fact]
    public void Every_unit_lies_in_exactly_one_part_and_no_part_is_empty() => Cases.Sample(c =>
    {
        foreach (var partition in new[] { StagePartition.ByCount(c.Costs.Length, c.Parts), StagePartition.ByCost(c.Costs, c.Parts) })
        {
            Assert.Equal(c.Parts, partition.Parts.Count);
            Assert.All(partition.Parts, part => Assert.True(part.Count > 0));
            Assert.Equal(Enumerable.Range(0, c.Costs.Length), partition.Parts.SelectMany(part => Enumerable.Range(part.First, part.Count)));
            Assert.Equal(c.Costs.Length, partition.Units);
            Assert.All(Enumerable.Range(0, partition.Units), unit => Assert.True(partition.Parts[partition.PartOf(unit)].Contains(unit)));
        }
    }, iter: 500, seed: "0000KOIPe036");

    [Fact]
    public void By_cost_is_the_best_of_all_cuts() => Cases.Sample(c =>
    {
        var best = AllCuts(c.Costs.Length, c.Parts).Min(cut => Score(c.Costs, cut));
        Assert.Equal(best, Score(c.Costs, StagePartition.ByCost(c.Costs, c.Parts).Parts.Select(part => part.Count)));
    }, iter: 500, seed: "0000KOIPe036");

    [Fact]
    public void By_count_parts_differ_by_one_unit_at_most() => Cases.Sample(c =>
    {
        var counts = StagePartition.ByCount(c.Costs.Length, c.Parts).Parts.Select(part => part.Count).ToList();
        return counts.Max() - counts.Min() <= 1;
    }, iter: 500, seed: "0000KOIPe036");

    [Theory]
    [InlineData(new[] { 3.0, 1, 1, 3 }, 2, "[2, 2]")]
    [InlineData(new[] { 1.0, 1, 1, 10 }, 2, "[3, 1]")]
    [InlineData(new[] { 1.0, 1, 1, 1, 10 }, 3, "[2, 2, 1]")]
    [InlineData(new[] { 0.0, 0, 0 }, 2, "[1, 2]")]
    public void By_cost_cuts_here(double[] costs, int parts, string expected) =>
        Assert.Equal(expected, StagePartition.ByCost(costs, parts).ToString());

    [Fact]
    public void More_parts_than_units_are_refused_with_both_numbers()
    {
        foreach (var act in new Action[] { () => StagePartition.ByCount(4, 5), () => StagePartition.ByCost([1, 1, 1, 1], 5) })
        {
            var message = Assert.Throws<RefusedException>(act).Message;
            Assert.Contains("4 units", message);
            Assert.Contains("5 parts", message);
        }

        Assert.Throws<RefusedException>(() => StagePartition.ByCount(4, 0));
    }

    [Theory]
    [InlineData(new[] { 2, 1 }, "covers 3")]
    [InlineData(new[] { 2, 0, 2 }, "part 1 has 0")]
    [InlineData(new[] { 5, -1 }, "part 1 has -1")]
    [InlineData(new int[0], "no parts")]
    [InlineData(new[] { int.MaxValue, int.MaxValue, 6 }, "covers 4294967300")]
    public void A_cut_that_is_no_cut_is_refused(int[] cut, string expected) =>
        Assert.Contains(expected, Assert.Throws<RefusedException>(() => StagePartition.FromCut(cut, 4)).Message);

    [Fact]
    public void A_given_cut_is_taken()
    {
        var partition = StagePartition.FromCut([1, 3], 4);
        Assert.Equal([new UnitRange(0, 1), new UnitRange(1, 3)], partition.Parts);
        Assert.Equal(1, partition.PartOf(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => partition.PartOf(4));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1)]
    [InlineData(double.PositiveInfinity)]
    public void A_cost_that_is_no_time_is_refused(double cost) =>
        Assert.Contains("unit 1", Assert.Throws<ArgumentException>(() => StagePartition.ByCost([1, cost], 1)).Message);

    private static (double Max, double Squares) Score(double[] costs, IEnumerable<int> cut)
    {
        var first = 0;
        var sums = cut.Select(count => costs[first..(first += count)].Sum()).ToList();
        return (sums.Max(), sums.Sum(sum => sum * sum));
    }

    private static IEnumerable<int[]> AllCuts(int units, int parts) => parts == 1
        ? [[units]]
        : Enumerable.Range(1, units - parts + 1).SelectMany(first => AllCuts(units - first, parts - 1).Select(rest => (int[])[first, .. rest]));
}
