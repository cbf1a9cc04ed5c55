using ActorTrainer.He.Backends;
using Xunit;

namespace ActorTrainer.Tests.He;

public class DiagonalPlacesTests
{
    [Fact]
    public void Places_count_from_the_first_shift_by_the_greatest_common_divisor()
    {
        var places = new DiagonalPlaces(1, [(0, -6), (0, 3), (0, 12), (1, 9)]);

        Assert.Equal((-6, 12, 3, 7), (places.First, places.Last, places.Stride, places.Count));
        Assert.Equal([0, 3, 5, 6], new[] { -6, 3, 9, 12 }.Select(places.PlaceOf));
    }

    [Fact]
    public void A_giant_step_is_paid_for_each_result_and_a_baby_step_for_each_rotation_of_an_input_that_is_used()
    {
        // With 4 baby steps: places 0, 4 and 1 of one input are two rotations, place 1 of the other is one more, and each of two results has one giant step.
        var places = new DiagonalPlaces(2, [(0, 0), (0, 4), (0, 1), (1, 1)]);

        Assert.Equal((2 * DiagonalMatrix.GiantCost) + 3, places.Cost(4));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(14)]
    [InlineData(40)]
    public void Baby_steps_are_distributed_as_well_as_by_trying_all(int babySteps)
    {
        DiagonalPlaces[] maps = [Full(15), Full(7), Full(31)];
        var all = from a in Enumerable.Range(1, babySteps) from b in Enumerable.Range(1, babySteps) from c in Enumerable.Range(1, babySteps) where a + b + c <= babySteps select (int[])[a, b, c];

        var found = DiagonalPlaces.Distribute(maps, babySteps);

        Assert.True(found.Sum() <= babySteps);
        Assert.Equal(all.Min(Cost), Cost(found));

        long Cost(IReadOnlyList<int> steps) => maps.Zip(steps, (map, g) => map.Cost(g)).Sum();
    }

    [Fact]
    public void Fewer_baby_steps_than_maps_are_refused() =>
        Assert.Contains("each of 2 linear maps", Assert.Throws<ArgumentOutOfRangeException>(() => DiagonalPlaces.Distribute([Full(3), Full(3)], 1)).Message);

    private static DiagonalPlaces Full(int count) => new(1, [.. Enumerable.Range(0, count).Select(shift => (0, shift))]);
}
