using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Nacelle.Linux;

/// <summary>What a step's argument is: a number, the address of plan data, or what an earlier step returned.</summary>
public readonly record struct PlanValue
{
    internal enum Kinds
    {
        Constant,
        Address,
        Cell,
    }

    internal Kinds Kind { get; init; }

    internal long Number { get; init; }

    public static implicit operator PlanValue(long number) => new() { Number = number };
}

/// <summary>
/// What a new process does between its birth and its exec, worked out beforehand as a list of system calls: the process itself only runs them.
/// </summary>
/// <remarks>
/// The child of vfork(2) shares the parent's memory and may neither allocate nor throw; a list of calls needs neither. A plan is data:
/// it can be printed, compared, and handed to another process as bytes (<see cref="ToBytes"/>), which is how a pod's PID 1 learns to start an app.
/// The first three cells are the descriptors of standard input, output and error, which whoever launches the plan may set.
/// </remarks>
public sealed class LaunchPlan
{
    readonly List<Step> steps = [];
    readonly List<int> relocations = [];
    readonly List<FileDescriptor> kept = [];
    readonly List<PlanValue> keptCells = [];
    readonly Dictionary<string, int> texts = new(StringComparer.Ordinal);
    byte[] data = new byte[4096];
    int length;

    public LaunchPlan()
    {
        for (int i = 0; i < 3; i++)
        {
            NewCell(i);
        }
    }

    /// <summary>The descriptors that the new program has as 0, 1 and 2; they hold those numbers unless the launcher is told otherwise.</summary>
    public PlanValue StandardInput => CellAt(0);

    public PlanValue StandardOutput => CellAt(8);

    public PlanValue StandardError => CellAt(16);

    /// <summary>
    /// The descriptors that steps refer to. Whoever receives the plan as bytes holds them under the same numbers, or tells their own by <see cref="PlanImage.Rename"/>.
    /// </summary>
    public IReadOnlyList<FileDescriptor> Descriptors => kept;

    /// <summary>A cell of 64 bits that a step can store its result in and a later step can take as an argument.</summary>
    public PlanValue NewCell(long value = -1)
    {
        Align(8);
        int offset = Append(stackalloc byte[8]);
        BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(offset), value);
        return CellAt(offset);
    }

    /// <summary>The address of a cell, for calls that read from or write to it.</summary>
    public static PlanValue AddressOf(PlanValue cell) => cell with { Kind = PlanValue.Kinds.Address };

    /// <summary>The address of a null-terminated string; equal strings are stored once.</summary>
    public PlanValue Text(string text)
    {
        if (!texts.TryGetValue(text, out int offset))
        {
            offset = Append(KernelString.Encode(text));
            Append([0]);
            texts.Add(text, offset);
        }

        return At(offset);
    }

    /// <summary>The address of a copy of these bytes, aligned for any structure.</summary>
    public PlanValue Bytes(ReadOnlySpan<byte> bytes)
    {
        Align(8);
        return At(Append(bytes));
    }

    /// <summary>The address of an array of 64-bit values, some of which may be addresses themselves: argument vectors, struct iovec, struct msghdr.</summary>
    public PlanValue Words(params ReadOnlySpan<PlanValue> words)
    {
        Align(8);
        int start = Append(new byte[words.Length * 8]);
        for (int i = 0; i < words.Length; i++)
        {
            if (words[i].Kind == PlanValue.Kinds.Cell)
            {
                throw new ArgumentException("a cell has no value yet when the plan is built");
            }

            BinaryPrimitives.WriteInt64LittleEndian(data.AsSpan(start + (i * 8)), words[i].Number);
            if (words[i].Kind == PlanValue.Kinds.Address)
            {
                relocations.Add(start + (i * 8));
            }
        }

        return At(start);
    }

    /// <summary>A null-terminated array of strings, as execve(2) takes it.</summary>
    public PlanValue TextArray(IReadOnlyList<string> texts)
    {
        var words = new PlanValue[texts.Count + 1];
        for (int i = 0; i < texts.Count; i++)
        {
            words[i] = Text(texts[i]);
        }

        return Words(words);
    }

    /// <summary>The cell with the number of a descriptor that lives at least as long as the plan.</summary>
    public PlanValue Descriptor(FileDescriptor descriptor)
    {
        if (descriptor.Number < 0)
        {
            return descriptor.Number; // AT_FDCWD
        }

        int at = kept.IndexOf(descriptor);
        if (at < 0)
        {
            at = kept.Count;
            kept.Add(descriptor);
            keptCells.Add(NewCell(descriptor.Number));
        }

        return keptCells[at];
    }

    /// <summary>Adds a system call.</summary>
    /// <param name="operation">What the call does and to what, for the error message: <c>mount proc on /proc</c>.</param>
    /// <returns>The step, to be told where its result goes and which failures it may shrug off.</returns>
    public Step Call(
        string operation, int number, PlanValue a = default, PlanValue b = default, PlanValue c = default,
        PlanValue d = default, PlanValue e = default, PlanValue f = default)
    {
        var step = new Step(this, operation, number, [a, b, c, d, e, f]);
        steps.Add(step);
        return step;
    }

    /// <summary>Adds a step that makes no call, but fails with <paramref name="error"/> unless a word of the plan's data is as wanted.</summary>
    /// <param name="address">An address of this plan.</param>
    /// <param name="offset">From there, in bytes.</param>
    /// <param name="mask">The bits that are looked at.</param>
    public Step Require(string operation, PlanValue address, int offset, ulong mask, ulong value, Errno error) =>
        Call(operation, PlanLayout.Require, address with { Number = address.Number + offset }, (long)mask, (long)value, (long)error);

    /// <summary>Adds a step that makes no call, but writes a number as text into the plan's data.</summary>
    /// <param name="number">A cell.</param>
    /// <param name="address">An address of this plan, with room for twenty bytes behind <paramref name="offset"/>.</param>
    public Step WriteDecimal(string operation, PlanValue number, PlanValue address, int offset) =>
        Call(operation, PlanLayout.Decimal, number, address with { Number = address.Number + offset });

    /// <summary>Adds a call that opens something, and returns the cell that will hold the descriptor.</summary>
    public PlanValue CallForResult(
        string operation, int number, PlanValue a = default, PlanValue b = default, PlanValue c = default,
        PlanValue d = default, PlanValue e = default, PlanValue f = default)
    {
        var cell = NewCell();
        Call(operation, number, a, b, c, d, e, f).To(cell);
        return cell;
    }

    /// <summary>One line a step, for people and for golden files: the operation, and the call where it is named.</summary>
    public IEnumerable<string> Describe() => steps.Select(step => step.Operation);

    /// <summary>The plan in one piece that means the same at any address and in any process that holds the <see cref="Descriptors"/>.</summary>
    public byte[] ToBytes()
    {
        var operations = steps.Select(step => (int)Text(step.Operation).Number).ToArray();
        Align(8);
        var header = new PlanLayout.Header
        {
            StepCount = steps.Count,
            DataLength = length,
            RelocationCount = relocations.Count,
            DescriptorCount = keptCells.Count,
            FailedStep = -1,
        };
        int dataStart = PlanLayout.HeaderSize + (steps.Count * PlanLayout.StepSize);
        var image = new byte[PlanLayout.Length(header)];
        MemoryMarshal.Write(image, header);
        for (int i = 0; i < steps.Count; i++)
        {
            MemoryMarshal.Write(image.AsSpan(PlanLayout.HeaderSize + (i * PlanLayout.StepSize)), steps[i].Layout(operations[i], i));
        }

        data.AsSpan(0, length).CopyTo(image.AsSpan(dataStart));
        int at = dataStart + length;
        foreach (int offset in (IEnumerable<int>)[.. relocations, .. keptCells.Select(cell => (int)cell.Number)])
        {
            BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(at), offset);
            at += sizeof(int);
        }

        return image;
    }

    static PlanValue At(int offset) => new() { Kind = PlanValue.Kinds.Address, Number = offset };

    static PlanValue CellAt(int offset) => new() { Kind = PlanValue.Kinds.Cell, Number = offset };

    void Align(int boundary)
    {
        while (length % boundary != 0)
        {
            Append([0]);
        }
    }

    int Append(ReadOnlySpan<byte> bytes)
    {
        if (length + bytes.Length > data.Length)
        {
            Array.Resize(ref data, Math.Max(data.Length * 2, length + bytes.Length));
        }

        bytes.CopyTo(data.AsSpan(length));
        length += bytes.Length;
        return length - bytes.Length;
    }

    /// <summary>One system call of a plan.</summary>
    public sealed class Step
    {
        readonly LaunchPlan plan;
        readonly PlanValue[] arguments;
        readonly int number;
        long result = -1;
        ulong tolerated;
        int toleratedTarget = -1, successTarget = -1, minimum;

        internal Step(LaunchPlan plan, string operation, int number, PlanValue[] arguments)
        {
            this.plan = plan;
            this.number = number;
            this.arguments = arguments;
            Operation = operation;
        }

        public string Operation { get; }

        /// <summary>Stores the result, or the negative errno of a tolerated failure, in a cell.</summary>
        public Step To(PlanValue cell)
        {
            result = cell.Number;
            return this;
        }

        /// <summary>Goes on although the call failed with one of these.</summary>
        public Step Tolerate(params ReadOnlySpan<Errno> errors)
        {
            foreach (var error in errors)
            {
                tolerated |= (int)error < 64 ? 1UL << (int)error : throw new ArgumentException($"{error} cannot be tolerated");
            }

            return this;
        }

        /// <summary>Fails (ECANCELED) on a smaller result, such as the 0 of a read from somebody who is gone.</summary>
        public Step AtLeast(int least)
        {
            minimum = least;
            return this;
        }

        public Step TolerateAll()
        {
            tolerated = ulong.MaxValue;
            return this;
        }

        /// <summary>After a tolerated failure, goes on at the step that is added to the plan next: call it when those to skip are there.</summary>
        public void SkipToHereOnFailure() => toleratedTarget = plan.steps.Count;

        /// <summary>After success, goes on at the step that is added to the plan next.</summary>
        public void SkipToHereOnSuccess() => successTarget = plan.steps.Count;

        internal PlanLayout.Step Layout(int operation, int index)
        {
            uint kinds = 0;
            for (int i = 0; i < 6; i++)
            {
                kinds |= (uint)arguments[i].Kind << (i * 2);
            }

            return new PlanLayout.Step
            {
                Number = number,
                Operation = operation,
                Kinds = kinds,
                SkipOnFailure = toleratedTarget < 0 ? (ushort)0 : (ushort)(toleratedTarget - index - 1),
                SkipOnSuccess = successTarget < 0 ? (ushort)0 : (ushort)(successTarget - index - 1),
                Minimum = minimum,
                Tolerated = tolerated,
                Result = result,
                A = arguments[0].Number,
                B = arguments[1].Number,
                C = arguments[2].Number,
                D = arguments[3].Number,
                E = arguments[4].Number,
                F = arguments[5].Number,
            };
        }
    }
}
