using System.Numerics;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Ring;
using ActorTrainer.He.Scheme;
using Xunit;

namespace ActorTrainer.Tests.He;

public sealed class LinearTransformTests
{
    private static readonly CkksParameters Toy = new(ParameterSets.ToyL15);

    /// <summary>Key switches: one for each baby step that moves anything and each giant step; two divisions at the end, one for each giant step.</summary>
    [Theory]
    [InlineData(0, 2, 2, 1, 1, 2)]
    [InlineData(0, 16, 8, 8, 2, 3)]
    [InlineData(-15, 31, 11, 13, 3, 4)]
    [InlineData(0, 64, 16, 18, 4, 5)]
    [InlineData(0, 256, 32, 38, 8, 9)]
    public void A_transform_takes_a_known_number_of_rotations_and_divisions(int first, int count, int babySteps, int switches, int raises, int divisions)
    {
        var plan = new PlanBackend(Toy);
        var evaluator = new Evaluator(plan);
        var matrix = Band(first, count, 1, 1);

        evaluator.Transform(plan.Encrypt(9), matrix);

        Assert.Equal(babySteps, matrix.BabySteps);
        Assert.Equal(
            (switches, raises, divisions, count, 0),
            (evaluator.Ledger.Count(Operation.RotateUndivided), evaluator.Ledger.Count(Operation.Raise), evaluator.Ledger.Count(Operation.DivideSpecial),
                evaluator.Ledger.Count(Operation.MultiplyPlainUndivided), evaluator.Ledger.Count(Operation.Rotate)));
        Assert.Equal(matrix.Requests(Toy, 9).OrderBy(r => r.Element), evaluator.Ledger.Keys);
        Assert.Equal(switches - Math.Max(0, matrix.GiantSteps - 2), evaluator.Ledger.Keys.Count());
    }

    /// <summary>Dense and sparse, wide and narrow strides, negative shifts, chosen baby steps, diagonals missing from the middle.</summary>
    [Theory]
    [InlineData(0, 16, 1, null)]
    [InlineData(-15, 31, 16, null)]
    [InlineData(-15, 31, 1, 4)]
    [InlineData(3, 5, 1, 1)]
    [InlineData(-2, 2, 7, null)]
    [InlineData(0, 1, 1, null)]
    public void A_transform_is_what_its_diagonals_say_within_two_bits_of_the_noise_model(int first, int count, int stride, int? babySteps)
    {
        var matrix = Band(first, count, stride, seed: count, babySteps);
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 9));
        var x = he.Random(1);
        using var input = he.Encrypt(x, 9);

        using var result = Rescaled(he.Evaluator, he.Evaluator.Transform(input, matrix));

        he.Check(result, Product(matrix, x));
        Assert.True(result.Scale.Matches(he.Parameters.ScaleAt(8)));
        Assert.Equal(matrix.Requests(he.Parameters, 9).OrderBy(r => r.Element), he.Evaluator.Ledger.Keys);
    }

    /// <summary>Three results of two inputs: rotations of an input serve all results, and a result's inputs are added before its giant steps.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(3)]
    public void Blocks_share_rotations_and_divisions(int? babySteps)
    {
        var bands = new[,] { { Band(0, 12, 2, 1), Band(-4, 5, 2, 2) }, { Band(2, 3, 2, 3), Band(0, 1, 1, 4) }, { Band(-6, 12, 2, 5), Band(8, 2, 2, 6) } };
        var blocks = new IReadOnlyDictionary<int, PlainVector>[3, 2];
        foreach (var (row, column) in Enumerable.Range(0, 6).Select(i => (i / 2, i % 2)))
        {
            blocks[row, column] = bands[row, column].Diagonals.ToDictionary(d => d.Shift, d => d.Values);
        }

        blocks[1, 1] = new Dictionary<int, PlainVector>();
        var matrix = new DiagonalMatrix(blocks, babySteps);
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 6), threads: 2);
        var (x, y) = (he.Random(1), he.Random(2));
        using var first = he.Encrypt(x, 6);
        using var second = he.Encrypt(y, 6);

        var results = he.Evaluator.Transform([first, second], matrix);

        for (var row = 0; row < 3; row++)
        {
            var other = row == 1 ? new Complex[x.Length] : Product(bands[row, 1], y).ToArray();
            using var result = Rescaled(he.Evaluator, results[row]);
            he.Check(result, Product(bands[row, 0], x).Zip(other, Complex.Add));
        }

        Assert.Equal(matrix.Requests(he.Parameters, 6).OrderBy(r => r.Element), he.Evaluator.Ledger.Keys);
        var moving = Enumerable.Range(0, 2).Sum(column => matrix.Steps(column).Count(step => matrix.Rotation(step.Baby) != 0));
        var giants = Enumerable.Range(0, 3).Sum(matrix.GiantStepsOf);
        Assert.Equal((moving + giants, giants + 6), (he.Evaluator.Ledger.Count(Operation.RotateUndivided), he.Evaluator.Ledger.Count(Operation.DivideSpecial)));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    public void At_low_levels_rotations_are_divided_before_many_diagonals(int level, int threads)
    {
        var random = new Random(9);
        var blocks = new IReadOnlyDictionary<int, PlainVector>[3, 2];
        foreach (var (row, column) in Enumerable.Range(0, 6).Select(i => (i / 2, i % 2)))
        {
            blocks[row, column] = Enumerable.Range(-1, 12).Where(d => d % 5 != row).ToDictionary(d => d * 8, _ => new PlainVector(Enumerable.Range(0, 64).Select(_ => random.NextDouble() - 0.5)));
        }

        var matrix = new DiagonalMatrix(blocks, 6);
        using var cache = new DiagonalCache(1 << 20);
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, level), threads, cache);
        var (x, y) = (he.Random(1), he.Random(2));
        using var first = he.Encrypt(x, level);
        using var second = he.Encrypt(y, level);
        var plan = new PlanBackend(he.Parameters);
        var planned = new Evaluator(plan);

        foreach (var _ in Enumerable.Range(0, 3))
        {
            var results = he.Evaluator.Transform([first, second], matrix);
            for (var row = 0; row < 3; row++)
            {
                using var rescaled = Rescaled(he.Evaluator, results[row]);
                Complex[] Of(int column, Complex[] input) => [.. input.Select((_, k) => blocks[row, column].Aggregate(Complex.Zero, (sum, d) => sum + (d.Value.Values[k % 64] * At(input, k + d.Key))))];
                he.Check(rescaled, Of(0, x).Zip(Of(1, y), (a, b) => a + b));
            }
        }

        foreach (var _ in Enumerable.Range(0, 3))
        {
            planned.Transform([plan.Encrypt(level), plan.Encrypt(level)], matrix).ToList().ForEach(r => planned.Rescale(r));
        }

        Assert.Equal(planned.Ledger.Counts, he.Evaluator.Ledger.Counts);
        Assert.Equal(matrix.Requests(he.Parameters, level).OrderBy(r => r.Element), he.Evaluator.Ledger.Keys);
        Assert.Equal((0, 0), (he.Evaluator.Ledger.Count(Operation.RotateUndivided), he.Evaluator.Ledger.Count(Operation.DivideSpecial)));
        Assert.Equal(3 * Enumerable.Range(0, 3).Sum(matrix.GiantStepsOf), he.Evaluator.Ledger.Count(Operation.Rotate));
    }

    [Fact]
    public void Diagonals_far_apart_leave_out_the_giant_sums_that_have_none()
    {
        var band = Band(0, 40, 1, 5);
        var matrix = new DiagonalMatrix(band.Diagonals.Where(d => d.Shift is 0 or 1 or 2 or 33 or 39).ToDictionary(d => d.Shift, d => d.Values), 4);
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 4), threads: 2);
        var x = he.Random(1);
        using var input = he.Encrypt(x, 4);

        using var result = Rescaled(he.Evaluator, he.Evaluator.Transform(input, matrix));

        he.Check(result, Product(matrix, x));
        Assert.Equal([0, 1, 2, 3], matrix.Steps(0).Select(step => step.Baby));
    }

    [Fact]
    public void A_secure_set_errs_as_the_noise_model_says()
    {
        var matrix = Band(-15, 31, 1, 3);
        using var he = new RequestedKeys(ParameterSets.L14, p => matrix.Requests(p, 7), threads: 2);
        var x = he.Random(1);
        using var input = he.Encrypt(x);

        using var result = Rescaled(he.Evaluator, he.Evaluator.Transform(input, matrix));
        using var sum = he.Evaluator.SumRotations(input, [-15, -14, -13]);

        he.Check(result, Product(matrix, x));
        he.Check(sum, x.Select((_, k) => x[k] + At(x, k - 15) + At(x, k - 14) + At(x, k - 13)));
    }

    [Fact]
    public void Entries_of_a_small_matrix_act_on_every_run_of_a_vector_that_repeats()
    {
        var random = new Random(7);
        var entries = Enumerable.Range(0, 64).Select(_ => random.NextDouble()).ToArray();
        var matrix = DiagonalMatrix.FromEntries(8, (row, column) => entries[(8 * row) + column]);
        var twin = new TwinBackend(Toy);
        var x = Enumerable.Range(0, 8).Select(_ => random.NextDouble()).ToArray();

        var result = new Evaluator(twin).Transform(twin.Encrypt(new PlainVector(x), 3), matrix);

        var expected = Enumerable.Range(0, 8).Select(row => Enumerable.Range(0, 8).Sum(column => entries[(8 * row) + column] * x[column])).ToArray();
        Assert.All(TwinBackend.Values(result).Select((v, k) => (v, k)), p => Assert.Equal(expected[p.k % 8], p.v.Real, 1e-12));
    }

    [Fact]
    public void A_matrix_of_zeros_is_a_normal_one_and_a_cyclic_one_has_only_its_diagonals()
    {
        Assert.Single(DiagonalMatrix.FromEntries(8, (_, _) => 0).Diagonals);
        Assert.Equal([1], DiagonalMatrix.FromEntries(8, (row, column) => (row + 1) % 8 == column ? 1 : 0).Diagonals.Select(d => d.Shift));
    }

    [Fact]
    public void Plan_twin_and_engine_keep_the_same_ledger_levels_scales_and_noise()
    {
        var matrix = Band(-3, 12, 2, 4, 3);
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 6));
        var (twin, plan) = (new TwinBackend(he.Parameters), new PlanBackend(he.Parameters));
        var runs = new (Evaluator Evaluator, Ciphertext Input)[]
        {
            (he.Evaluator, he.Encrypt(he.Random(1), 6)),
            (new Evaluator(twin), twin.Encrypt(new PlainVector(he.Random(1)), 6)),
            (new Evaluator(plan), plan.Encrypt(6)),
        };

        var results = runs.Select(run => run.Evaluator.SumRotations(run.Evaluator.Transform(run.Input, matrix), [-6, -4])).ToArray();

        foreach (var (run, result) in runs.Zip(results))
        {
            Assert.Equal(runs[0].Evaluator.Ledger.Counts, run.Evaluator.Ledger.Counts);
            Assert.Equal(runs[0].Evaluator.Ledger.Keys, run.Evaluator.Ledger.Keys);
            Assert.Equal((results[0].Level, results[0].Scale, results[0].NoiseVariance, results[0].Magnitude), (result.Level, result.Scale, result.NoiseVariance, result.Magnitude));
        }
    }

    [Fact]
    public void Diagonals_are_kept_as_coefficients_then_as_limbs_up_to_the_budget_and_change_no_result()
    {
        var matrix = Band(0, 8, 1, 1);
        var limb = 8L * (Toy.Degree + 32);
        var whole = limb * (5 + 1 + Toy.Special.Count);
        // Of the eight every other one has 8 values, whose limbs, 128 of which go into one, are kept packed.
        using var cache = new DiagonalCache((8 * limb) + (3 * whole) + (4 * limb));
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 5), threads: 2, cache: cache);
        var x = he.Random(1);
        using var input = he.Encrypt(x, 5);
        var held = new List<(int, int, long)>();
        var results = new List<Complex[]>();

        for (var i = 0; i < 3; i++)
        {
            using var result = he.Evaluator.Transform(input, matrix);
            results.Add(he.Decrypt(result));
            held.Add((cache.Count, cache.Encoded, cache.Bytes));
            he.Check(result, Product(matrix, x));
        }

        var full = (8, 7, (12 * limb) + (3 * whole));
        Assert.Equal([(8, 0, 8 * limb), full, full], held);
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public void Coefficients_that_are_kept_serve_every_level()
    {
        var matrix = Band(0, 8, 1, 1);
        using var cache = new DiagonalCache(8 * 8L * (Toy.Degree + 32));
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 5), cache: cache);
        var x = he.Random(1);
        using var high = he.Encrypt(x, 5);
        using var low = he.Encrypt(x, 2);

        using var first = Rescaled(he.Evaluator, he.Evaluator.Transform(high, matrix));
        using var second = Rescaled(he.Evaluator, he.Evaluator.Transform(low, matrix));

        Assert.Equal((8, 0), (cache.Count, cache.Encoded));
        he.Check(first, Product(matrix, x));
        he.Check(second, Product(matrix, x));
    }

    [Fact]
    public void Both_kernels_and_any_number_of_threads_give_the_same_result()
    {
        var matrix = Band(-3, 12, 1, 4, 4);
        var results = new List<Complex[]>();
        foreach (var (kernels, threads) in new[] { (KernelChoice.Integer, 1), (KernelChoice.Fastest, 1), (KernelChoice.Fastest, 3) })
        {
            using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 4), threads, kernels: kernels);
            using var input = he.Encrypt(he.Random(1), 4);
            using var result = he.Evaluator.Transform(input, matrix);
            results.Add(he.Decrypt(result));
        }

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public void Memory_is_flat_over_many_transforms()
    {
        var matrix = Band(-3, 12, 1, 4, 4);
        using var he = new RequestedKeys(ParameterSets.ToyL15, p => matrix.Requests(p, 4));
        using var input = he.Encrypt(he.Random(1), 4);
        he.Evaluator.Transform(input, matrix).Dispose();
        var before = he.Pool.Bytes;

        for (var i = 0; i < 5; i++)
        {
            he.Evaluator.Transform(input, matrix).Dispose();
        }

        Assert.Equal(before, he.Pool.Bytes);
    }

    [Fact]
    public void Several_rotations_of_one_ciphertext_raise_its_digits_once()
    {
        var plan = new PlanBackend(Toy);
        var evaluator = new Evaluator(plan);

        evaluator.RotateMany(plan.Encrypt(5), [0, 1, 2, 3]);
        evaluator.Rotate(plan.Encrypt(5), 1);

        Assert.Equal((1, 3, 1), (evaluator.Ledger.Count(Operation.Raise), evaluator.Ledger.Count(Operation.RotateRaised), evaluator.Ledger.Count(Operation.Rotate)));
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_anything_is_computed()
    {
        var plan = new PlanBackend(Toy);
        var evaluator = new Evaluator(plan);
        var wide = new DiagonalMatrix(new Dictionary<int, PlainVector> { [0] = new([1.0]), [Toy.Slots] = new([1.0]) });
        var a = plan.Encrypt(5);

        Assert.Contains("one turn", Assert.Throws<MisuseException>(() => evaluator.Transform(a, wide)).Message);
        Assert.Contains("Relinearise", Assert.Throws<MisuseException>(() => evaluator.Transform(evaluator.MultiplyLazy(a, a), Band(0, 4, 1, 1))).Message);
        Assert.Contains("no level", Assert.Throws<MisuseException>(() => evaluator.Transform(plan.Encrypt(0), Band(0, 4, 1, 1))).Message);
        Assert.Throws<ArgumentException>(() => new DiagonalMatrix(new Dictionary<int, PlainVector>()));
        Assert.Equal(0, evaluator.Ledger.Count(Operation.RotateUndivided));
    }

    internal static Complex At(Complex[] x, int k) => x[(k + x.Length) % x.Length];

    private static DiagonalMatrix Band(int first, int count, int stride, int seed, int? babySteps = null)
    {
        var random = new Random(seed);
        return new DiagonalMatrix(
            Enumerable.Range(first, count).ToDictionary(i => i * stride, i => new PlainVector([.. Enumerable.Range(0, i % 2 == 0 ? 1024 : 8).Select(_ => new Complex(random.NextDouble() - 0.5, random.NextDouble() - 0.5))])),
            babySteps);
    }

    private static IEnumerable<Complex> Product(DiagonalMatrix m, Complex[] x) => x.Select((_, k) =>
        m.Diagonals.Aggregate(Complex.Zero, (sum, d) => sum + (d.Values.Values[k % d.Values.Values.Count] * At(x, k + d.Shift))));

    private static Ciphertext Rescaled(Evaluator evaluator, Ciphertext product)
    {
        using (product)
        {
            return evaluator.Rescale(product);
        }
    }
}
