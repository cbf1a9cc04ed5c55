using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class MlmBatcherTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly PreparedData _data;

    public MlmBatcherTests() => _data = DatasetBuilder.Prepare(
        new() { SampleMegabytes = 0.05, HeldOutFraction = 0.3, Sequence = 32, Cache = _folder.Cache }, new WordTokenizer());

    public void Dispose()
    {
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_batch_has_flat_positions_in_ascending_order_and_the_true_labels()
    {
        var batch = Batcher(1).Take(0, 6, step: 0);
        Assert.Equal((6, 32, 8), (batch.Rows, batch.Sequence, batch.MaskedPerRow));
        Assert.Equal((192, 48, 48), (batch.Inputs.Length, batch.Positions.Length, batch.Labels.Length));
        Assert.Equal(batch.Positions.Order().Distinct(), batch.Positions);
        Assert.Equal(Enumerable.Range(0, 48).Select(i => i / 8), batch.Positions.Select(position => position / 32));

        var truth = new int[32];
        for (var row = 0; row < 6; row++)
        {
            _data.Train.Read(BlockOrder.BlockAt(1, 0, row, _data.Train.BlockCount), truth);
            for (var i = 0; i < 32; i++)
            {
                var at = Array.IndexOf(batch.Positions, row * 32 + i);
                Assert.Equal(truth[i], at < 0 ? batch.Inputs[row * 32 + i] : batch.Labels[at]);
            }
        }
    }

    [Fact]
    public void Rows_do_not_depend_on_how_they_are_cut_into_batches_or_what_was_taken_before()
    {
        var whole = Batcher(1).Take(10, 8, step: 5);
        var batcher = Batcher(1);
        batcher.Take(100, 3, step: 9);
        var right = batcher.Take(13, 5, step: 5);
        var left = batcher.Take(10, 3, step: 5);
        Assert.Equal(whole.Inputs, left.Inputs.Concat(right.Inputs));
        Assert.Equal(whole.Labels, left.Labels.Concat(right.Labels));
        Assert.Equal(whole.Positions, left.Positions.Concat(right.Positions.Select(position => position + 3 * 32)));
    }

    [Fact]
    public void Seed_epoch_and_step_change_the_masks()
    {
        var blocks = _data.Train.BlockCount;
        var first = Batcher(1).Take(0, 4, step: 0);
        Assert.Equal(first.Inputs, Batcher(1).Take(0, 4, step: 0).Inputs);
        Assert.NotEqual(first.Inputs, Batcher(2).Take(0, 4, step: 0).Inputs);
        Assert.NotEqual(first.Positions, Batcher(1).Take(0, 4, step: 1).Positions);
        Assert.NotEqual(first.Inputs, Batcher(1).Take(blocks, 4, step: 0).Inputs);
    }

    [Fact]
    public void An_epoch_has_every_token_of_the_split_and_a_batch_may_span_two()
    {
        var blocks = _data.Train.BlockCount;
        var epoch = Batcher(1).Take(0, (int)blocks, step: 0);
        Assert.Equal(PrepareTests.All(_data.Train).Order(), Truth(epoch).Order());

        var spanning = Batcher(1).Take(blocks - 2, 4, step: 0);
        Assert.Equal(Batcher(1).Take(blocks, 2, step: 0).Inputs, spanning.Inputs[64..]);
        Assert.Equal(Batcher(1).Take(blocks - 2, 2, step: 0).Inputs, spanning.Inputs[..64]);
    }

    [Fact]
    public void Held_out_rows_come_in_order_with_masks_that_never_change()
    {
        var heldOut = new MlmBatcher(_data.HeldOut, SpecialTokens.Own, 1000, seed: 1, 0.25);
        var other = new MlmBatcher(_data.HeldOut, SpecialTokens.Own, 1000, seed: 99, 0.25);
        var batch = heldOut.TakeHeldOut(2, 3);
        Assert.Equal(batch.Inputs, other.TakeHeldOut(2, 3).Inputs);
        Assert.Equal(batch.Inputs[32..], heldOut.TakeHeldOut(3, 2).Inputs);
        Assert.Equal(PrepareTests.All(_data.HeldOut)[64..160], Truth(batch));
        Assert.Throws<ArgumentOutOfRangeException>(() => heldOut.TakeHeldOut(_data.HeldOut.BlockCount - 1, 2));
    }

    [Fact]
    public void Many_threads_read_the_same_as_one()
    {
        var batcher = Batcher(1);
        var expected = Enumerable.Range(0, 64).Select(i => batcher.Take(i * 3, 3, i).Inputs).ToArray();
        Parallel.For(0, 64, i => Assert.Equal(expected[i], batcher.Take(i * 3, 3, i).Inputs));
    }

    [Fact]
    public void A_model_with_a_smaller_vocabulary_than_the_data_is_refused() =>
        Assert.Throws<RefusedException>(() => new MlmBatcher(_data.Train, SpecialTokens.Own, 999, 1, 0.25));

    [Fact]
    public void Reading_outside_or_after_disposal_is_an_error()
    {
        var ids = new int[32];
        Assert.Throws<ArgumentOutOfRangeException>(() => _data.Train.Read(_data.Train.BlockCount, ids));
        Assert.Throws<ArgumentOutOfRangeException>(() => _data.Train.Read(-1, ids));
        Assert.Throws<ArgumentException>(() => _data.Train.Read(0, new int[31]));
        var opened = TokenDataset.Open(_data.Folder, DataSplit.Train);
        opened.Dispose();
        opened.Dispose();
        Assert.Throws<ObjectDisposedException>(() => opened.Read(0, ids));
    }

    [Fact]
    public void A_changed_byte_in_a_shard_is_found_when_hashes_are_verified()
    {
        TokenDataset.Open(_data.Folder, DataSplit.Train, verifyHashes: true).Dispose();
        var shard = Path.Combine(_data.Folder, "train-00000.bin");
        var bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
        var refusal = Assert.Throws<RefusedException>(() => TokenDataset.Open(_data.Folder, DataSplit.Train, verifyHashes: true));
        Assert.StartsWith(shard, refusal.Message);
    }

    [Fact]
    public void The_unigram_baseline_is_the_mean_negative_log_frequency_with_add_one_smoothing()
    {
        long[] counts = [0, 7, 1];
        Assert.Equal(-(Math.Log(8.0 / 11) + Math.Log(1.0 / 11)) / 2, UnigramBaseline.CrossEntropy(counts, [1, 0]), 12);
        Assert.Throws<ArgumentException>(() => UnigramBaseline.CrossEntropy(counts, []));

        // On the training tokens themselves it is near their entropy, and far below that of a uniform guess.
        var ids = PrepareTests.All(_data.Train);
        var total = (double)ids.Length;
        var entropy = -_data.Train.UnigramCounts.Where(count => count > 0).Sum(count => count / total * Math.Log(count / total));
        Assert.InRange(UnigramBaseline.CrossEntropy(_data.Train.UnigramCounts, ids), entropy, entropy + 0.1);
    }

    private MlmBatcher Batcher(ulong seed) => new(_data.Train, SpecialTokens.Own, 1000, seed, 0.25);

    private static int[] Truth(MlmBatch batch)
    {
        var ids = (int[])batch.Inputs.Clone();
        for (var i = 0; i < batch.Positions.Length; i++)
        {
            ids[batch.Positions[i]] = batch.Labels[i];
        }

        return ids;
    }
}
