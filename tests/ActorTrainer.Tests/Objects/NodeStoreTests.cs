using System.Security.Cryptography;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Tests.Checkpoints;
using Xunit;

namespace ActorTrainer.Tests.Objects;

public sealed class NodeStoreTests : IDisposable
{
    private const string Run = "run-1";

    private readonly TemporaryFolder _folder = new();
    private readonly NodeStore _store;

    public NodeStoreTests() => _store = new NodeStore(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Received_bytes_are_stored_under_their_hash_and_not_one_more_is_read()
    {
        var content = TestNode.Bytes(1, 700_000);
        using var stream = new MemoryStream([.. content, 1, 2, 3]);
        _store.Receive(Run, 7, HashOf(content), content.Length, stream);
        Assert.Equal(content.Length, stream.Position);
        Assert.Equal(content, File.ReadAllBytes(_store.Verified(Run, HashOf(content))));
        Assert.Equal(7, _store.StepOf(Run, HashOf(content)));
    }

    [Theory]
    [InlineData(0, 999)]
    [InlineData(0, 1001)]
    [InlineData(1, 1000)]
    public void Received_bytes_of_another_length_or_hash_leave_nothing(int flip, int length)
    {
        var content = TestNode.Bytes(2, 1000);
        var hash = HashOf(content);
        content[500] ^= (byte)flip;
        Assert.Throws<InvalidDataException>(() => _store.Receive(Run, 1, hash, length, new MemoryStream(content)));
        Assert.Empty(Files());
        Assert.Empty(_store.Holds(Run, [hash]));
    }

    [Fact]
    public void A_damaged_object_is_replaced_by_what_is_received_but_not_by_what_is_damaged_too()
    {
        var content = TestNode.Bytes(3, 5000);
        var hash = Put(4, content);
        File.WriteAllBytes(_store.PathOf(Run, hash), new byte[5000]);
        Assert.Throws<RefusedException>(() => _store.Verified(Run, hash));
        Assert.False(_store.Adopt(Run, 9, hash));
        Assert.Throws<InvalidDataException>(() => _store.Receive(Run, 5, hash, 5000, new MemoryStream(new byte[5000])));
        _store.Receive(Run, 5, hash, 5000, new MemoryStream(content));
        Assert.Equal(content, File.ReadAllBytes(_store.Verified(Run, hash)));
        Assert.True(_store.Adopt(Run, 9, hash));
        Assert.Equal(9, _store.StepOf(Run, hash));
    }

    [Fact]
    public void Keep_removes_what_is_neither_named_nor_of_a_later_step()
    {
        var named = Put(3, [1]);
        var old = Put(3, [2]);
        var current = Put(5, [3]);
        var later = Put(6, [4]);
        var unmarked = new ContentStore(Path.Combine(_folder.Path, Run, "store")).Put(new byte[] { 5 });
        Assert.Equal(3, _store.Keep(Run, 5, [named, "no hash", "../" + old[3..]]));
        Assert.Equal([named, later], _store.Holds(Run, [named, old, current, later, unmarked]));
    }

    [Fact]
    public void An_object_of_two_checkpoints_is_of_the_later_one_whatever_comes_last()
    {
        var hash = Put(8, [1]);
        Put(6, [1]);
        _store.Keep(Run, 7, []);
        Assert.Equal([hash], _store.Holds(Run, [hash]));
        _store.Keep(Run, 8, []);
        Assert.Empty(Files());
    }

    [Fact]
    public void Two_processes_on_one_folder_know_each_others_steps()
    {
        var hash = Put(8, [1]);
        var other = new NodeStore(_folder.Path);
        Assert.Equal(0, other.Keep(Run, 7, []));
        Assert.Equal([hash], _store.Holds(Run, [hash]));
    }

    [Fact]
    public void A_killed_writer_leaves_nothing_after_the_next_start()
    {
        var hash = Put(1, [1]);
        var folder = Path.Combine(_folder.Path, Run, "store", "objects");
        File.WriteAllText(Path.Combine(folder, $"{Guid.NewGuid():N}.tmp"), "half");
        _ = new NodeStore(_folder.Path);
        Assert.Equal([_store.PathOf(Run, hash)], Files());
    }

    [Fact]
    public void A_dropped_run_leaves_nothing_and_others_stay()
    {
        Put(1, [1]);
        var other = _store.Put("other", 1, stream => stream.WriteByte(2));
        _store.Drop(Run);
        _store.Drop("never-was");
        Assert.Equal([_store.PathOf("other", other)], Files());
        Put(2, [3]); // and it can begin again
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../up")]
    [InlineData("a/b")]
    [InlineData("/etc")]
    [InlineData("a\0b")]
    [InlineData("a\\b")]
    [InlineData("é")]
    [InlineData("٣")]
    [InlineData("a b")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_name_that_could_leave_the_folder_is_no_run(string run)
    {
        var hash = HashOf([1]);
        Assert.False(NodeStore.IsRun(run));
        Assert.Throws<RefusedException>(() => _store.Put(run, 1, stream => stream.WriteByte(1)));
        Assert.Throws<RefusedException>(() => _store.Receive(run, 1, hash, 1, new MemoryStream([1])));
        Assert.Throws<RefusedException>(() => _store.Verified(run, hash));
        Assert.Throws<RefusedException>(() => _store.Open(run, hash));
        Assert.Empty(_store.Holds(run, [hash]));
        Assert.Equal(0, _store.Keep(run, 1, []));
        _store.Drop(run);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Questions_about_unknown_runs_make_no_folders()
    {
        Assert.Empty(_store.Holds("unknown", [HashOf([1])]));
        Assert.Throws<RefusedException>(() => _store.Open("unknown", HashOf([1])));
        Assert.False(_store.Adopt("unknown", 1, HashOf([1])));
        _store.Keep("unknown", 1, []);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private string Put(long step, byte[] content) => _store.Put(Run, step, stream => stream.Write(content));

    private string[] Files() => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);
}
