using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.KeyHolder;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

public sealed class EncryptedBatchSourceTests : IDisposable
{
    private readonly OwnerFixture _fixture = new();
    private readonly OwnerKeys _keys;
    private readonly ExportReader _train;
    private readonly ExportReader _dev;
    private readonly EncryptedDataset _data;
    private readonly EncryptedDataset _heldOut;

    public EncryptedBatchSourceTests()
    {
        _keys = _fixture.NewKeys();
        (_train, _dev) = (_fixture.Export(), _fixture.Export(GlueTask.Mrpc, "dev", 6));
        (_data, _heldOut) = (Encrypted(_train), Encrypted(_dev));
    }

    public void Dispose()
    {
        _train.Dispose();
        _dev.Dispose();
        _keys.Dispose();
        _fixture.Dispose();
    }

    [Fact]
    public void Every_epoch_has_all_micro_batches_in_an_order_of_its_own_that_follows_from_the_seed()
    {
        var source = new EncryptedBatchSource(_data, null, seed: 3);

        int[][] epochs = [.. Enumerable.Range(0, 4).Select(epoch => Enumerable.Range(0, 9).Select(i => source.MicroBatchAt((epoch * 36) + (4 * i))).ToArray())];

        Assert.All(epochs, order => Assert.Equal(Enumerable.Range(0, 9), order.Order()));
        Assert.Equal(4, epochs.Select(order => string.Join(",", order)).Distinct().Count());
        Assert.Equal(epochs[2][5], new EncryptedBatchSource(_data, null, seed: 3).MicroBatchAt(92));
        Assert.NotEqual(epochs[0], Enumerable.Range(0, 9).Select(i => new EncryptedBatchSource(_data, null, seed: 4).MicroBatchAt(4 * i)));
        var inOrder = new EncryptedBatchSource(_data, null, seed: 3, shuffle: false);
        Assert.Equal([0, 1, 8, 0, 1], new long[] { 0, 4, 32, 36, 40 }.Select(inOrder.MicroBatchAt));
    }

    [Fact]
    public void What_is_taken_are_the_bytes_that_were_encrypted()
    {
        var source = new EncryptedBatchSource(_data, _heldOut, seed: 3);

        Assert.Equal((16, 1, 36, 8L), (source.TokensPerSequence, source.TargetsPerSequence, source.EpochRows, source.HeldOutSequences));
        Assert.Equal(Bytes(_data.Read(source.MicroBatchAt(20))), Bytes(source.Take(20, 4, step: 7)));
        Assert.Equal(Bytes(_heldOut.Read(1)), Bytes(source.TakeHeldOut(4, 4)));
        Assert.True(double.IsNaN(source.HeldOutBaseline(8)));
        Assert.Throws<InvalidOperationException>(() => new EncryptedBatchSource(_data, null, 1).TakeHeldOut(0, 4));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 8)]
    [InlineData(2, 4)]
    public void Parts_of_a_micro_batch_are_refused_with_the_key_to_set(long first, int rows)
    {
        var source = new EncryptedBatchSource(_data, _heldOut, seed: 3);

        Assert.Contains("impl.microbatch_size=4", Assert.Throws<ArgumentException>(() => source.Take(first, rows, 0)).Message);
        Assert.Throws<ArgumentException>(() => source.TakeHeldOut(first, rows));
    }

    private EncryptedDataset Encrypted(ExportReader source)
    {
        var plan = _fixture.Plan(source, _keys);
        EncryptedDatasetWriter.Write(plan);
        return EncryptedDataset.Open(plan.Folder, _keys.Context);
    }

    private static byte[] Bytes((IPayload Inputs, IPayload Targets) pair)
    {
        using var stream = new MemoryStream();
        pair.Inputs.Write(stream);
        pair.Targets.Write(stream);
        Assert.Equal(stream.Length, pair.Inputs.WireSize + pair.Targets.WireSize);
        pair.Inputs.Dispose();
        pair.Targets.Dispose();
        return stream.ToArray();
    }
}
