using ActorTrainer.Actors.DataPlane;
using CsCheck;
using TorchSharp;
using Xunit;

namespace ActorTrainer.Tests.Actors;

public class TensorPayloadTests
{
    [Theory]
    [InlineData(torch.ScalarType.Float32)]
    [InlineData(torch.ScalarType.Float64)]
    [InlineData(torch.ScalarType.BFloat16)]
    [InlineData(torch.ScalarType.Int64)]
    [InlineData(torch.ScalarType.Int32)]
    public void Tensors_come_back_bit_for_bit(torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        using var generator = new torch.Generator(3);
        var tensor = torch.randn([3, 5, 2], generator: generator).mul(100).to_type(type);
        using var payload = new TensorPayload(tensor, tensor[1].transpose(0, 1), torch.zeros([0, 4], type));

        using var back = (TensorPayload)RoundTrip(payload);

        Assert.Equal(3, back.Tensors.Count);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(payload.Tensors[i].shape, back.Tensors[i].shape);
            Assert.Equal(payload.Tensors[i].contiguous().bytes.ToArray(), back.Tensors[i].bytes.ToArray());
        }
    }

    [Fact]
    public void The_wire_size_is_the_number_of_bytes_written()
    {
        using var payload = new TensorPayload(torch.ones(7, 3), torch.arange(5));
        using var stream = new MemoryStream();

        payload.Write(stream);

        Assert.Equal(payload.WireSize, stream.Length);
    }

    [Fact]
    public void A_tensor_larger_than_allowed_is_refused_before_it_is_allocated()
    {
        using var payload = new TensorPayload(torch.ones(100));
        using var stream = new MemoryStream();
        payload.Write(stream);
        stream.Position = 0;

        var error = Assert.Throws<InvalidDataException>(() => new TensorPayloadReader(maximumBytes: 399).Read(stream));

        Assert.Contains("399", error.Message);
    }

    [Fact]
    public void Damaged_bytes_never_crash_and_never_allocate_beyond_the_limit()
    {
        using var payload = new TensorPayload(torch.ones(4, 4), torch.arange(6));
        using var stream = new MemoryStream();
        payload.Write(stream);
        var bytes = stream.ToArray();

        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte, Gen.Int[0, bytes.Length]).Sample(
            (at, value, length) =>
            {
                var damaged = (byte[])bytes.Clone();
                damaged[at] = value;
                try
                {
                    new TensorPayloadReader(maximumBytes: 1 << 16).Read(new MemoryStream(damaged, 0, length)).Dispose();
                }
                catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
                {
                    // refused, as it should be
                }
            },
            iter: 2000,
            seed: "0N0XIzNsQ0O2",
            threads: 1);
    }

    private static IPayload RoundTrip(TensorPayload payload)
    {
        using var stream = new MemoryStream();
        payload.Write(stream);
        stream.Position = 0;
        return new TensorPayloadReader().Read(stream);
    }
}
