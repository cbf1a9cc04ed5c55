using ActorTrainer.Model.Optimisation;
using Xunit;

namespace ActorTrainer.Tests.Optimisation;

public class ScheduleTests
{
    [Theory]
    [InlineData(LearningRateSchedule.BudgetTriangle2, 0, 0, 0.25)]
    [InlineData(LearningRateSchedule.BudgetTriangle2, 0, 0.25, 0.5)]
    [InlineData(LearningRateSchedule.BudgetTriangle2, 0, 0.75, 1)]
    [InlineData(LearningRateSchedule.BudgetTriangle2, 0.5, 0.875, 0.5)]
    [InlineData(LearningRateSchedule.BudgetTriangle2, 0, 1, 0)]
    [InlineData(LearningRateSchedule.Triangular, 0.2, 0, 0)]
    [InlineData(LearningRateSchedule.Triangular, 0.2, 0.1, 0.5)]
    [InlineData(LearningRateSchedule.Triangular, 0.2, 0.2, 1)]
    [InlineData(LearningRateSchedule.Triangular, 0.2, 0.6, 0.5)]
    [InlineData(LearningRateSchedule.Triangular, 0.2, 1, 0)]
    [InlineData(LearningRateSchedule.Triangular, 0, 0, 1)]
    [InlineData(LearningRateSchedule.Triangular, 1, 1, 1)]
    [InlineData(LearningRateSchedule.Cosine, 0.5, 0.25, 0.5)]
    [InlineData(LearningRateSchedule.Cosine, 0.5, 0.5, 1)]
    [InlineData(LearningRateSchedule.Cosine, 0.5, 0.75, 0.5)]
    [InlineData(LearningRateSchedule.Cosine, 0, 0.3333333333333333, 0.75)]
    [InlineData(LearningRateSchedule.Cosine, 0, 1, 0)]
    [InlineData(LearningRateSchedule.Constant, 0.1, 0.05, 0.5)]
    [InlineData(LearningRateSchedule.Constant, 0.1, 0.1, 1)]
    [InlineData(LearningRateSchedule.Constant, 0, 0, 1)]
    [InlineData(LearningRateSchedule.Constant, 0, 1, 1)]
    public void The_learning_rate_is_this_part_of_its_peak(LearningRateSchedule schedule, double warmUp, double fraction, double expected)
    {
        var options = new TrainOptions { Schedule = schedule, WarmUp = warmUp, Optim = new AdamWOptions { LearningRate = 2e-3 } };
        Assert.Equal(2e-3 * expected, LearningRate.At(options, fraction), 12);
    }

    [Theory]
    [InlineData(-0.01)]
    [InlineData(1.01)]
    [InlineData(double.NaN)]
    public void A_part_of_the_budget_outside_0_to_1_is_refused(double fraction)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LearningRate.At(new TrainOptions(), fraction));
        Assert.Throws<ArgumentOutOfRangeException>(() => BatchRamp.SequencesAt(new TrainOptions(), 128, fraction));
    }

    [Theory]
    [InlineData(8192, 128, 0.6, 0, 128)]
    [InlineData(8192, 128, 0.6, 0.3, 4224)] // 128 + 8064/2 = 4160 = 32.5 micro-batches, up
    [InlineData(8192, 128, 0.6, 0.15, 2176)] // 128 + 8064/4 = 2144 = 16.75
    [InlineData(8192, 128, 0.6, 0.6, 8192)]
    [InlineData(8192, 128, 0.6, 1, 8192)]
    [InlineData(8192, 128, 0, 0, 8192)]
    [InlineData(100, 32, 0.5, 0, 32)]
    [InlineData(100, 32, 0.5, 0.25, 64)] // 66 = 2.06
    [InlineData(100, 32, 0.5, 0.49, 96)] // 98.64 = 3.08
    [InlineData(100, 32, 0.5, 0.5, 100)]
    [InlineData(127, 32, 0.5, 0.49, 127)] // 125.1 = 3.9 → 4 × 32 = 128, held to 127
    [InlineData(16, 32, 0.5, 0, 16)]
    [InlineData(32, 32, 0.5, 0.2, 32)]
    public void The_batch_grows_linearly_in_whole_micro_batches(int batch, int microBatch, double ramp, double fraction, int expected) =>
        Assert.Equal(expected, BatchRamp.SequencesAt(new TrainOptions { BatchSize = batch, BatchRamp = ramp }, microBatch, fraction));

    [Theory]
    [InlineData(BudgetUnit.Steps, 1000, 250, 9_999_999, 1e9, 0.25)]
    [InlineData(BudgetUnit.Tokens, 4e6, 7, 1_000_000, 1e9, 0.25)]
    [InlineData(BudgetUnit.Hours, 2, 7, 9_999_999, 1800, 0.25)]
    [InlineData(BudgetUnit.Steps, 1000, 1000, 0, 0, 1)]
    [InlineData(BudgetUnit.Steps, 1000, 1001, 0, 0, 1)]
    [InlineData(BudgetUnit.Hours, 0.5, 0, 0, 1800, 1)]
    [InlineData(BudgetUnit.Tokens, 0, 0, 0, 0, 1)]
    [InlineData(BudgetUnit.Hours, 1, 0, 0, -5, 0)]
    public void The_budget_counts_only_its_own_unit(BudgetUnit unit, double budget, long steps, long tokens, double seconds, double expected)
    {
        var options = new TrainOptions { BudgetUnit = unit, Budget = budget };
        Assert.Equal(expected, Budget.Fraction(options, steps, tokens, seconds), 12);
        Assert.Equal(expected == 1, Budget.IsSpent(options, steps, tokens, seconds));
    }

    [Theory]
    [InlineData(8, 4, new[] { 4, 4 })]
    [InlineData(9, 4, new[] { 4, 4, 1 })]
    [InlineData(3, 4, new[] { 3 })]
    [InlineData(4, 4, new[] { 4 })]
    [InlineData(2, 1, new[] { 1, 1 })]
    public void A_batch_splits_into_micro_batches_of_which_the_last_may_be_smaller(int sequences, int size, int[] expected) =>
        Assert.Equal(expected, MicroBatches.Split(sequences, size));

    [Fact]
    public void Batches_without_sequences_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MicroBatches.Split(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => MicroBatches.Split(4, 0));
    }
}
