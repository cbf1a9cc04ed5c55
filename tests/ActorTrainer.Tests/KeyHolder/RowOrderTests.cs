using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.KeyHolder;

public sealed class RowOrderTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 23).Select(row => 1 + (row * 5 % 12))];

    [Fact]
    public void Training_takes_short_rows_once_in_an_order_that_follows_from_the_seed_in_whole_micro_batches()
    {
        var order = RowOrder.Shuffled(Tokens, 8, 4, seed: 5);

        Assert.Equal(12, order.Rows.Count);
        Assert.Equal(12, order.Real);
        Assert.Equal(12, order.Rows.Distinct().Count());
        Assert.All(order.Rows, row => Assert.InRange(Tokens[row], 1, 8));
        Assert.Equal(order.Rows, RowOrder.Shuffled(Tokens, 8, 4, seed: 5).Rows);
        Assert.NotEqual(order.Rows, RowOrder.Shuffled(Tokens, 8, 4, seed: 6).Rows);
    }

    [Fact]
    public void Evaluation_takes_all_short_rows_in_their_order_and_repeats_the_last()
    {
        var order = RowOrder.InOrder(Tokens, 8, 4);

        int[] fit = [.. Enumerable.Range(0, 23).Where(row => Tokens[row] <= 8)];
        Assert.Equal(15, order.Real);
        Assert.Equal([.. fit, fit[^1]], order.Rows);
        Assert.Equal(16, RowOrder.InOrder([.. Enumerable.Repeat(3, 16)], 8, 4).Rows.Count);
    }

    [Fact]
    public void Too_few_rows_are_refused_with_their_number()
    {
        Assert.Contains("3 of 4 rows have at most 8 tokens", Assert.Throws<RefusedException>(() => RowOrder.Shuffled([1, 2, 3, 9], 8, 4, 1)).Message);
        Assert.Contains("None of 2 rows", Assert.Throws<RefusedException>(() => RowOrder.InOrder([9, 10], 8, 4)).Message);
    }
}
