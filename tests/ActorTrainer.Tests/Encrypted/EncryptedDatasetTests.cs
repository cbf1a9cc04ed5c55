using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;
using ActorTrainer.Tests.KeyHolder;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

public sealed class EncryptedDatasetTests : IDisposable
{
    private readonly OwnerFixture _fixture = new();
    private readonly OwnerKeys _keys;
    private readonly ExportReader _source;
    private readonly EncryptionPlan _plan;

    public EncryptedDatasetTests()
    {
        _keys = _fixture.NewKeys();
        _source = _fixture.Export();
        _plan = _fixture.Plan(_source, _keys);
        EncryptedDatasetWriter.Write(_plan);
    }

    public void Dispose()
    {
        _source.Dispose();
        _keys.Dispose();
        _fixture.Dispose();
    }

    [Fact]
    public void A_context_of_the_same_parameters_reads_it_without_any_key()
    {
        using var context = new CkksContext(new CkksParameters(OwnerFixture.Toy));
        var data = EncryptedDataset.Open(_plan.Folder, context);
        data.Verify();

        var (inputs, targets) = data.Read(data.Count - 1);

        Assert.Equal([3, 3, 2, 2], inputs.Ciphertexts.Select(c => c.Level));
        Assert.Equal([1, 1], targets.Ciphertexts.Select(c => c.Level));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(data.Count));
        inputs.Dispose();
        targets.Dispose();
        Assert.Equal(0, context.Ring.Pool.BytesInUse);
    }

    [Fact]
    public void Only_micro_batches_of_a_damaged_shard_are_refused_with_the_file_and_the_expectation()
    {
        var file = Path.Combine(_plan.Folder, EncryptedShard.NameOf(1));
        var bytes = File.ReadAllBytes(file);
        bytes[^2] ^= 1;
        File.WriteAllBytes(file, bytes);
        var data = EncryptedDataset.Open(_plan.Folder, _keys.Context);

        Read(data, 1);
        Read(data, 4);
        foreach (var microBatch in new[] { 2, 3 })
        {
            var refused = Assert.Throws<RefusedException>(() => data.Read(microBatch)).Message;
            Assert.Contains(file, refused);
            Assert.Contains("expected SHA-256", refused);
        }

        Assert.Contains(file, Assert.Throws<RefusedException>(() => data.Verify()).Message);
    }

    [Fact]
    public void A_shard_that_changes_after_it_was_verified_is_refused_and_leaves_no_memory_in_use()
    {
        var file = Path.Combine(_plan.Folder, EncryptedShard.NameOf(0));
        var (bytes, random) = (File.ReadAllBytes(file), new Random(1));
        var data = EncryptedDataset.Open(_plan.Folder, _keys.Context);
        Read(data, 0);
        var inUse = _keys.Context.Ring.Pool.BytesInUse;

        for (var i = 0; i < 100; i++)
        {
            var damaged = bytes.ToArray();
            damaged[random.Next(damaged.Length / 2)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(file, damaged);
            Assert.Contains($"{file}: micro-batch 0:", Assert.Throws<RefusedException>(() => data.Read(0)).Message);
        }

        Assert.Equal(inUse, _keys.Context.Ring.Pool.BytesInUse);
    }

    [Fact]
    public void A_missing_or_short_shard_is_refused_on_opening()
    {
        var file = Path.Combine(_plan.Folder, EncryptedShard.NameOf(4));
        var bytes = File.ReadAllBytes(file);

        File.WriteAllBytes(file, bytes[..^1]);
        Assert.Contains($"{file}: expected {bytes.Length} bytes, found {bytes.Length - 1}", Refusal());
        File.Delete(file);
        Assert.Contains($"{file}: expected {bytes.Length} bytes, found no file", Refusal());
        File.Delete(Path.Combine(_plan.Folder, EncryptedManifest.FileName));
        Assert.Contains("no manifest.json", Refusal());

        string Refusal() => Assert.Throws<RefusedException>(() => EncryptedDataset.Open(_plan.Folder, _keys.Context)).Message;
    }

    [Fact]
    public void Data_of_other_parameters_keys_models_tasks_or_packings_is_refused_before_anything_is_read()
    {
        using var other = new CkksContext(new CkksParameters(ParameterSets.ToyL15));
        Assert.Contains("found InsecureTestOwner", Assert.Throws<RefusedException>(() => EncryptedDataset.Open(_plan.Folder, other)).Message);

        var data = EncryptedDataset.Open(_plan.Folder, _keys.Context);
        var (key, embedding, none) = (_keys.Manifest.KeySha256, _fixture.Purpose.EmbeddingSha256, new string('0', 64));
        data.Require(key, embedding, "mrpc", OwnerFixture.Wide);
        Assert.Contains("for keys 0", Refusal(none, embedding, "mrpc", OwnerFixture.Wide));
        Assert.Contains("for the embedding 0", Refusal(key, none, "mrpc", OwnerFixture.Wide));
        Assert.Contains("for the task rte, found mrpc", Refusal(key, embedding, "rte", OwnerFixture.Wide));
        Assert.Contains("for the packing", Refusal(key, embedding, "mrpc", OwnerFixture.Short));

        string Refusal(string k, string e, string task, PackingShape packing) => Assert.Throws<RefusedException>(() => data.Require(k, e, task, packing)).Message;
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 2", "format 2, expected 1")]
    [InlineData("\"rows\": 36", "\"rows\": 37", "sizes are not those")]
    [InlineData("\"padded_rows\": 36", "\"padded_rows\": 40", "do not make up")]
    [InlineData("\"outputs\": 2", "\"outputs\": 3", "expected")]
    [InlineData("\"task\": \"mrpc\",", "", "damaged")]
    public void A_manifest_that_does_not_add_up_is_refused(string from, string to, string expected)
    {
        var file = Path.Combine(_plan.Folder, EncryptedManifest.FileName);
        var text = File.ReadAllText(file);
        Assert.Contains(from, text);
        File.WriteAllText(file, text.Replace(from, to, StringComparison.Ordinal));

        Assert.Contains(expected, Assert.Throws<RefusedException>(() => EncryptedDataset.Open(_plan.Folder, _keys.Context)).Message);
    }

    private static void Read(EncryptedDataset data, int microBatch)
    {
        var (inputs, targets) = data.Read(microBatch);
        inputs.Dispose();
        targets.Dispose();
    }
}
