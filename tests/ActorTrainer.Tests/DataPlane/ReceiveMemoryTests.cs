using ActorTrainer.Actors.DataPlane;
using ActorTrainer.He.Wire;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.DataPlane;

public class ReceiveMemoryTests
{
    private const long Bytes = (7 << 20) + 4; // a size that no other test asks for

    [Fact]
    public void Memory_of_a_tensor_is_used_again_only_when_its_last_alias_is_gone()
    {
        var first = Take();
        var alias = first[10];
        var address = Address(first);
        first.Dispose();
        using var second = Take();
        Assert.NotEqual(address, Address(second));

        alias.Dispose();

        using var third = Take();
        Assert.Equal(address, Address(third));
        Assert.Equal(0, address % 64);
    }

    [Fact]
    public void No_more_than_the_limit_is_kept()
    {
        var tensors = Enumerable.Range(0, 6).Select(i => ReceiveMemory.Empty([(64 << 20) + i * ReceiveMemory.Smallest], torch.ScalarType.Byte, (64 << 20) + i * ReceiveMemory.Smallest)).ToList();

        tensors.ForEach(tensor => tensor.Dispose());

        Assert.InRange(ReceiveMemory.FreeBytes, 1, ReceiveMemory.MostFree);
    }

    [Fact]
    public void Large_tensors_of_every_shape_come_back_bit_for_bit()
    {
        using var generator = new torch.Generator(4);
        using var payload = new TensorPayload(torch.randn([3, 700, 401], generator: generator), torch.arange(100_000), torch.randn([], generator: generator));
        using var bytes = new MemoryStream();
        payload.Write(bytes);
        bytes.Position = 0;

        using var back = (TensorPayload)new TensorPayloadReader().Read(bytes);

        Assert.All(payload.Tensors.Zip(back.Tensors), pair =>
        {
            Assert.Equal(pair.Item1.shape, pair.Item2.shape);
            Assert.Equal(pair.Item1.dtype, pair.Item2.dtype);
            Assert.True(pair.Item1.bytes.SequenceEqual(pair.Item2.bytes));
        });
    }

    [Fact]
    public void The_checksum_is_the_standard_one_for_every_length()
    {
        var random = new Random(3);
        var bytes = new byte[60_000];
        random.NextBytes(bytes);

        Assert.Equal(0xE3069283u, ~Crc32C.Append(Crc32C.Start, "123456789"u8));
        foreach (var length in (int[])[0, 1, 7, 8, 12_287, 12_288, 12_289, 24_576, 59_999, .. Enumerable.Range(0, 20).Select(_ => random.Next(bytes.Length))])
        {
            var expected = Crc32C.Start;
            for (var i = 0; i < length; i++)
            {
                expected = System.Numerics.BitOperations.Crc32C(expected, bytes[i]);
            }

            Assert.Equal(expected, Crc32C.Append(Crc32C.Start, bytes.AsSpan(0, length)));
        }
    }

    private static torch.Tensor Take() => ReceiveMemory.Empty([Bytes / 4], torch.ScalarType.Float32, Bytes);

    private static unsafe long Address(torch.Tensor tensor)
    {
        fixed (byte* data = tensor.bytes)
        {
            return (long)data;
        }
    }
}
