using System.Buffers.Binary;
using System.Text;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using CsCheck;
using Xunit;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Bert;

public class SafeTensorsTests
{
    [Fact]
    public void Every_type_and_shape_survives_a_round_trip_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var tensors = new (string Name, Tensor Value)[]
        {
            ("f64", Tiny.Normal(1, 3, 5)),
            ("f32", Tiny.Normal(2, 2, 3, 4).to(ScalarType.Float32)),
            ("bf16", Tiny.Normal(3, 7).to(ScalarType.BFloat16)),
            ("f16", Tiny.Normal(4, 7).to(ScalarType.Float16)),
            ("i64", arange(5, ScalarType.Int64)),
            ("i32", arange(3, ScalarType.Int32)),
            ("bool", tensor(new[] { true, false, true })),
            ("scalar", tensor(2.5f)),
            ("empty", empty(0, 4)),
            ("transposed", Tiny.Normal(5, 3, 2).t()),
            ("grüße \"quoted\"\\ {}", ones(1)),
        };
        var path = folder.File("a.safetensors");
        SafeTensors.Write(path, tensors, new Dictionary<string, string> { ["step"] = "12", ["a"] = "é" });
        var header = SafeTensors.Read(path);
        Assert.Equal("12", header.Metadata["step"]);
        Assert.Equal("é", header.Metadata["a"]);
        Assert.Equal(tensors.Length, header.Entries.Count);
        foreach (var (name, value) in tensors)
        {
            var read = SafeTensors.Load(header, name);
            Assert.Equal(value.dtype, read.dtype);
            Assert.Equal(value.shape, read.shape);
            Assert.Equal(value.contiguous().bytes.ToArray(), read.bytes.ToArray());
        }
    }

    [Fact]
    public void The_file_is_laid_out_as_the_format_says()
    {
        using var scope = NewDisposeScope();
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, [("b", tensor(new byte[] { 7, 8, 9 })), ("w", tensor(new[] { 1f, -2f }))], new Dictionary<string, string> { ["k"] = "v" });
        var bytes = stream.ToArray();
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        Assert.Equal(
            """{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}""",
            Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
        Assert.Equal([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7, 8, 9], bytes[(8 + length)..]);
    }

    [Fact]
    public void Equal_content_gives_equal_bytes_whatever_the_order()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var tensors = Enumerable.Range(0, 9).Select(i => ($"t{i}", Tiny.Normal((ulong)i, i + 1).to(i % 2 == 0 ? ScalarType.Float32 : ScalarType.Float64))).ToList();
        SafeTensors.Write(folder.File("a"), tensors, new Dictionary<string, string> { ["x"] = "1", ["y"] = "2" });
        tensors.Reverse();
        SafeTensors.Write(folder.File("b"), tensors, new Dictionary<string, string> { ["y"] = "2", ["x"] = "1" });
        Assert.Equal(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
    }

    [Fact]
    public void A_tensor_larger_than_one_piece_survives()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var large = arange(0, (1 << 20) * 2 + 3, ScalarType.Float32).view(1, -1);
        SafeTensors.Write(folder.File("a"), [("large", large), ("z", ones(2))]);
        Assert.True(SafeTensors.Load(SafeTensors.Read(folder.File("a")), "large").eq(large).all().item<bool>());
    }

    [Fact]
    public void Loading_writes_into_the_tensor_and_converts_floating_types()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var value = Tiny.Normal(1, 3, 2).to(ScalarType.Float32);
        SafeTensors.Write(folder.File("a"), [("w", value), ("i", arange(6, ScalarType.Int64).view(3, 2))]);
        var header = SafeTensors.Read(folder.File("a"));
        var leaf = zeros(3, 2).requires_grad_();
        var precise = zeros(3, 2, ScalarType.Float64).requires_grad_();
        var strided = zeros(2, 3).t();
        foreach (var target in new[] { leaf, precise, strided })
        {
            SafeTensors.LoadInto(header, "w", target);
            Assert.Equal(Tiny.Floats(value), Tiny.Floats(target));
        }

        Assert.True(leaf.is_leaf && leaf.requires_grad);
        Assert.Contains("[2, 3]", Assert.Throws<RefusedException>(() => SafeTensors.LoadInto(header, "w", zeros(2, 3))).Message);
        Assert.Contains("I64", Assert.Throws<RefusedException>(() => SafeTensors.LoadInto(header, "i", leaf)).Message);
        Assert.Contains("nothing", Assert.Throws<RefusedException>(() => SafeTensors.LoadInto(header, "nothing", leaf)).Message);
    }

    [Fact]
    public void Merging_copies_bytes_and_equals_writing_the_tensors_at_once()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (a, b) = (Tiny.Normal(1, 4, 4), Tiny.Normal(2, 9).to(ScalarType.BFloat16));
        SafeTensors.Write(folder.File("1"), [("x", a), ("unused", ones(3))]);
        SafeTensors.Write(folder.File("2"), [("y", b)]);
        SafeTensors.Merge(folder.File("merged"), [("a", folder.File("1"), "x"), ("b", folder.File("2"), "y"), ("again", folder.File("1"), "x")]);
        SafeTensors.Write(folder.File("direct"), [("a", a), ("b", b), ("again", a)]);
        Assert.Equal(File.ReadAllBytes(folder.File("direct")), File.ReadAllBytes(folder.File("merged")));

        var refused = Assert.Throws<RefusedException>(() => SafeTensors.Merge(folder.File("bad"), [("a", folder.File("1"), "gone")]));
        Assert.Contains("gone", refused.Message);
        Assert.Equal(4, Directory.GetFiles(folder.Path).Length);
    }

    [Theory]
    [InlineData("""{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "t ends at byte 8")]
    [InlineData("""{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "holds 9")]
    [InlineData("""{"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "t is F32 [3] but spans 8")]
    [InlineData("""{"t":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""", 8, "unknown dtype F99")]
    [InlineData("""{"t":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "tensor t must have")]
    [InlineData("""{"t":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "tensor t must have")]
    [InlineData("""{"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "spans 8")]
    [InlineData("""{"t":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "data_offsets")]
    [InlineData("""{"t":{"dtype":"F32","shape":[2]}}""", 8, "tensor t must have")]
    [InlineData("""{"t":5}""", 8, "tensor t must have")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "b starts at byte 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "bytes 4 to 8")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "a appears twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "__metadata__")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "k appears twice in __metadata__")]
    [InlineData("""[1]""", 0, "JSON object")]
    [InlineData("""{"t":""", 0, "not valid JSON")]
    public void A_bad_header_is_refused_with_file_and_tensor(string json, int dataBytes, string expected)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("bad.safetensors");
        var text = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + text.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        File.WriteAllBytes(path, bytes);
        var message = Assert.Throws<RefusedException>(() => SafeTensors.Read(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains(expected, message);
    }

    [Fact]
    public void Missing_short_and_foreign_files_are_refused_with_their_name()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("short"), [1, 2, 3]);
        File.WriteAllText(folder.File("foreign"), "PK.. this is something else altogether");
        foreach (var name in new[] { "gone", "short", "foreign" })
        {
            Assert.Contains(folder.File(name), Assert.Throws<RefusedException>(() => SafeTensors.Read(folder.File(name))).Message);
        }
    }

    [Fact]
    public void Damaged_files_are_read_or_refused_but_never_crash()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        SafeTensors.Write(folder.File("good"), [("a", ones(3)), ("b", ones(2, 2, ScalarType.Float64)), ("ü", ones(1, ScalarType.Int64))],
            new Dictionary<string, string> { ["k"] = "v" });
        var good = File.ReadAllBytes(folder.File("good"));
        var edit = Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte);
        var path = folder.File("damaged");
        var refused = 0;
        Gen.Select(edit.Array[1, 4], Gen.Int[0, good.Length]).Sample(
            (edits, cut) =>
            {
                var bytes = good[..(cut < good.Length / 2 ? good.Length : cut)];
                foreach (var (index, value) in edits)
                {
                    if (index < bytes.Length)
                    {
                        bytes[index] = value;
                    }
                }

                File.WriteAllBytes(path, bytes);
                try
                {
                    var header = SafeTensors.Read(path);
                    foreach (var entry in header.Entries)
                    {
                        SafeTensors.Load(header, entry.Name).Dispose();
                    }
                }
                catch (RefusedException e)
                {
                    refused++;
                    return e.Message.Contains(path);
                }

                return true;
            },
            iter: 3000,
            threads: 1,
            seed: "0N0XIzNsQ0O2");
        Assert.InRange(refused, 1000, 3000);
    }

    [Theory]
    [InlineData("checkpoints/microlm-bert-mlm/model.safetensors", "bert.embeddings.word_embeddings.weight", 500, 50)]
    [InlineData("checkpoints/tiny-bert-random/model.safetensors", "embeddings.word_embeddings.weight", 256, 32)]
    public void Files_of_other_writers_are_read(string file, string name, long rows, long columns)
    {
        if (SharedData.Find(file) is not { } path)
        {
            Console.WriteLine($"Not run: no shared data ({file}).");
            return;
        }

        using var scope = NewDisposeScope();
        var header = SafeTensors.Read(path);
        Assert.Equal([rows, columns], header[name].Shape);
        foreach (var entry in header.Entries.Where(entry => entry.DType == "F32"))
        {
            Assert.True(SafeTensors.Load(header, entry.Name).isfinite().all().item<bool>());
        }
    }
}
