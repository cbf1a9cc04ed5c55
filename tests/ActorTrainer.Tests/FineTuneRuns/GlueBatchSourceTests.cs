using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.FineTuneRuns;

public class GlueBatchSourceTests
{
    private static readonly RandomRows Train = new(GlueTask.Mnli, 12, 1);
    private static readonly RandomRows Dev = new(GlueTask.Mnli, 7, 2);

    [Fact]
    public void Every_epoch_has_all_rows_once_in_an_order_of_its_own()
    {
        var source = new GlueBatchSource(Train, Dev, seed: 5);

        var epochs = Enumerable.Range(0, 3).Select(epoch => Enumerable.Range(0, 12).Select(i => source.RowAt(12L * epoch + i)).ToList()).ToList();

        Assert.All(epochs, epoch => Assert.Equal(Enumerable.Range(0, 12), epoch.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
        Assert.Equal([0, 1, 2, 3, 0], Enumerable.Range(0, 5).Select(i => new GlueBatchSource(Train, Dev, 5, shuffle: false, trainRows: 4).RowAt(i)));
    }

    [Fact]
    public void A_batch_over_the_end_of_an_epoch_takes_the_first_rows_of_the_next()
    {
        var source = new GlueBatchSource(Train, Dev, seed: 5, shuffle: false);

        var (inputs, targets) = Tensors(source.Take(first: 11, rows: 2, step: 3));

        Assert.Equal([Train.Label(11), Train.Label(0)], targets[0].to(torch.ScalarType.Float32).data<float>().ToArray());
        Assert.Equal(Train.Ids(0).ToArray(), inputs[0][1].data<long>().Take(Train.Length(0)).Select(id => (int)id));
    }

    [Theory]
    [InlineData(PaddingKind.Full)]
    [InlineData(PaddingKind.Longest)]
    public void The_mask_is_one_at_tokens_and_zero_at_padding(PaddingKind padding)
    {
        var source = new GlueBatchSource(Train, Dev, seed: 5, padding: padding);
        for (var row = 0; row < Dev.Count; row++)
        {
            var (inputs, targets) = Tensors(source.TakeHeldOut(row, 1));

            var width = (int)inputs[0].shape[1];
            Assert.Equal(padding == PaddingKind.Full ? 16 : Math.Min(16, (Dev.Length(row) + 7) / 8 * 8), width);
            Assert.Equal(Enumerable.Range(0, width).Select(t => t < Dev.Length(row) ? 1f : 0f), inputs[1].data<float>().ToArray());
            Assert.Equal(Enumerable.Range(0, width).Select(t => t < Dev.Length(row) ? Dev.Ids(row)[t] : 0L), inputs[0].data<long>().ToArray());
            Assert.Equal([(long)Dev.Label(row)], targets[0].data<long>().ToArray());
        }
    }

    [Fact]
    public void Scores_are_real_numbers_and_their_baseline_is_the_spread_around_the_mean_of_training()
    {
        var source = new GlueBatchSource(new RandomRows(GlueTask.Stsb, 5, 1), new RandomRows(GlueTask.Stsb, 3, 2), seed: 5, shuffle: false);

        var (_, targets) = Tensors(source.Take(0, 3, 1));

        Assert.Equal([0f, 0.25f, 0.5f], targets[0].data<float>().ToArray());
        Assert.Equal((0.25 + 0.0625) / 3, source.HeldOutBaseline(3), 12); // mean 0.5; labels 0, 0.25, 0.5
    }

    [Fact]
    public void The_baseline_of_classes_is_the_cross_entropy_of_their_smoothed_frequencies()
    {
        var source = new GlueBatchSource(Train, Dev, seed: 5);
        double Share(float label) => (Enumerable.Range(0, 12).Count(row => Train.Label(row) == label) + 1) / 15.0;

        Assert.Equal(Enumerable.Range(0, 7).Average(row => -Math.Log(Share(Dev.Label(row)))), source.HeldOutBaseline(7), 12);
        Assert.Equal((7, 1, 16), (source.HeldOutSequences, source.TargetsPerSequence, source.TokensPerSequence));
    }

    private static (IReadOnlyList<torch.Tensor> Inputs, IReadOnlyList<torch.Tensor> Targets) Tensors((IPayload Inputs, IPayload Targets) batch) =>
        (((TensorPayload)batch.Inputs).Tensors, ((TensorPayload)batch.Targets).Tensors);
}
