using ActorTrainer.Actors;
using ActorTrainer.Model.Common;
using TorchSharp;

namespace ActorTrainer.Host.Commands;

/// <summary>The device and number format that a run computes with.</summary>
/// <param name="Cuda">True: the CUDA device.</param>
/// <param name="BFloat16">True: matrix products in bfloat16.</param>
internal readonly record struct DeviceChoice(bool Cuda, bool BFloat16)
{
    /// <summary>For people.</summary>
    public override string ToString() => $"{(Cuda ? "CUDA device" : "CPU")}, {(BFloat16 ? "bfloat16 products" : "float32")}";

    /// <summary>The Torch device.</summary>
    public torch.Device Device => Cuda ? torch.CUDA : torch.CPU;

    /// <summary>Chooses at run time what the configuration leaves open.</summary>
    /// <exception cref="RefusedException">The configuration asks for something this machine does not have.</exception>
    public static DeviceChoice Of(ImplOptions impl)
    {
        var cuda = impl.Device switch
        {
            DeviceKind.Cpu => false,
            DeviceKind.Auto => torch.cuda.is_available(),
            _ when torch.cuda.is_available() => true,
            _ => throw new RefusedException(
                "impl.device=cuda was asked for, but no CUDA device is available to this build. Build with -p:Torch=cuda on a machine with one, or set impl.device=cpu."),
        };
        return new DeviceChoice(cuda, impl.Precision switch
        {
            Precision.Float32 => false,
            Precision.Auto => cuda,
            _ when cuda || CpuHasBFloat16() => true,
            _ => throw new RefusedException(
                "impl.precision=bfloat16 was asked for, but this CPU has no bfloat16 units (AVX512_BF16), where such products are about 100 times slower than float32. Set impl.precision=float32 or auto."),
        });
    }

    /// <summary>CPUID leaf 7, sub-leaf 1, EAX bit 5: AVX512_BF16.</summary>
    private static bool CpuHasBFloat16() =>
        System.Runtime.Intrinsics.X86.X86Base.IsSupported && (System.Runtime.Intrinsics.X86.X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
}
