using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Checkpoints;

public sealed class ContentStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Content_comes_back_under_its_own_hash()
    {
        var store = new ContentStore(_folder.Path);
        var content = new byte[300_000];
        new Random(1).NextBytes(content);
        var hash = store.Put(stream =>
        {
            stream.Write(content.AsSpan(0, 100_000));
            stream.WriteByte(content[100_000]);
            stream.Write(content, 100_001, content.Length - 100_001);
        });
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), hash);
        Assert.Equal(_folder[$"objects/{hash[..2]}/{hash[2..]}"], store.PathOf(hash));
        Assert.True(store.Contains(hash));
        Assert.Equal(content, ReadAll(store, hash));
        Assert.Equal(store.PathOf(hash), store.Verified(hash));
        File.Delete(store.Verified(hash)); // nothing holds it open
    }

    [Fact]
    public void Equal_content_is_stored_once()
    {
        var store = new ContentStore(_folder.Path);
        Assert.Equal(store.Put("same"u8.ToArray()), store.Put("same"u8.ToArray()));
        store.Put("other"u8.ToArray());
        Assert.Equal(2, Files().Length);
    }

    [Fact]
    public void Empty_content_has_a_hash_too()
    {
        var store = new ContentStore(_folder.Path);
        Assert.Empty(ReadAll(store, store.Put(_ => { })));
    }

    [Fact]
    public void A_write_that_fails_leaves_nothing()
    {
        var store = new ContentStore(_folder.Path);
        Assert.Throws<InvalidOperationException>(() => store.Put(stream =>
        {
            stream.Write(new byte[100_000]);
            throw new InvalidOperationException();
        }));
        Assert.Empty(Files());
    }

    [Fact]
    public void What_a_killed_writer_left_is_removed_at_the_next_start_and_objects_stay()
    {
        var hash = new ContentStore(_folder.Path).Put("kept"u8.ToArray());
        File.WriteAllText(_folder["objects/0123456789abcdef.tmp"], "half");
        var store = new ContentStore(_folder.Path);
        Assert.Equal([store.PathOf(hash)], Files());
    }

    [Fact]
    public void A_second_store_on_the_folder_does_not_disturb_a_writer()
    {
        var store = new ContentStore(_folder.Path);
        var hash = store.Put(stream =>
        {
            stream.Write("first "u8);
            stream.Flush();
            Assert.Single(Files());
            _ = new ContentStore(_folder.Path);
            Assert.Single(Files());
            stream.Write("second"u8);
        });
        Assert.Equal("first second", Encoding.UTF8.GetString(ReadAll(store, hash)));
    }

    [Fact]
    public void Threads_may_put_equal_content_at_once()
    {
        var store = new ContentStore(_folder.Path);
        var contents = Enumerable.Range(0, 4).Select(i => Enumerable.Repeat((byte)i, 50_000).ToArray()).ToArray();
        Parallel.For(0, 40, i => store.Put(contents[i % 4]));
        Assert.Equal(4, Files().Length);
        Assert.All(contents, content => Assert.Equal(content, ReadAll(store, Convert.ToHexStringLower(SHA256.HashData(content)))));
    }

    [Theory]
    [InlineData("Xontent")]
    [InlineData("conten")]
    [InlineData("")]
    public void A_damaged_object_is_refused_with_its_file(string damaged)
    {
        var store = new ContentStore(_folder.Path);
        var hash = store.Put("content"u8.ToArray());
        File.WriteAllText(store.PathOf(hash), damaged);
        var message = Assert.Throws<RefusedException>(() => store.Open(hash)).Message;
        Assert.Contains(store.PathOf(hash), message);
        Assert.Contains("damaged", message);
        Assert.Equal(message, Assert.Throws<RefusedException>(() => store.Verified(hash)).Message);
    }

    [Fact]
    public void A_truncated_object_is_made_whole_by_putting_it_again()
    {
        var store = new ContentStore(_folder.Path);
        var hash = store.Put("content"u8.ToArray());
        File.WriteAllText(store.PathOf(hash), "con");
        store.Put("content"u8.ToArray());
        Assert.Equal("content"u8.ToArray(), ReadAll(store, hash));
    }

    [Fact]
    public void A_missing_object_is_refused_with_its_file()
    {
        var store = new ContentStore(_folder.Path);
        var hash = new string('a', 64);
        Assert.False(store.Contains(hash));
        Assert.Contains(store.PathOf(hash), Assert.Throws<RefusedException>(() => store.Open(hash)).Message);
        Assert.Contains(store.PathOf(hash), Assert.Throws<RefusedException>(() => store.Verified(hash)).Message);
    }

    [Fact]
    public void Collecting_removes_what_is_not_kept_and_says_how_much()
    {
        var store = new ContentStore(_folder.Path);
        var kept = store.Put("kept"u8.ToArray());
        var gone = store.Put("gone!"u8.ToArray());
        Assert.Equal(5, store.Collect([kept]));
        Assert.True(store.Contains(kept));
        Assert.False(store.Contains(gone));
        Assert.Equal(0, store.Collect([kept]));
    }

    [Theory]
    [InlineData("../../../../etc/passwd")]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void What_is_no_hash_has_no_file(string hash) =>
        Assert.Throws<ArgumentException>(() => new ContentStore(_folder.Path).PathOf(hash));

    private string[] Files() => Directory.GetFiles(_folder["objects"], "*", SearchOption.AllDirectories);

    private static byte[] ReadAll(ContentStore store, string hash)
    {
        using var stream = store.Open(hash);
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
