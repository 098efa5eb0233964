/* The shim's own of each function of OpenSSL that refused.def names, here and
 * for the tests of the library: shim_refused() sees who called, and either the
 * call goes on as it came, or the caller gets the failure that stands there.
 * x86-64 alone; none of the functions takes a floating-point number. */
#define REFUSE(function, value) refusable function, value

    .macro refusable function, value
    .globl \function
    .type \function, @function
\function:
    .cfi_startproc
    endbr64
    leaq 8f(%rip), %r11
    call refuse_or_not
    testq %r11, %r11
    jz 6f
    jmp *%r11
6:  movq $\value, %rax
    ret
    .cfi_endproc
    .size \function, . - \function
    .pushsection .data.rel, "aw"
    .balign 8
8:  .quad 0, 9f
    .popsection
    .pushsection .rodata
9:  .asciz "\function"
    .popsection
    .endm

    .text
/* r11: struct refusable; after it, where the call goes on, or 0. The registers
 * of arguments stay as they are. */
refuse_or_not:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register rbp
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    pushq %r9
    pushq %rax
    pushq %r10
    andq $-16, %rsp
    movq %r11, %rdi
    movq 16(%rbp), %rsi /* where the caller goes on */
    call shim_refused@PLT
    movq %rax, %r11
    leaq -64(%rbp), %rsp
    popq %r10
    popq %rax
    popq %r9
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rbp
    .cfi_def_cfa rsp, 8
    ret
    .cfi_endproc

#include "../lib/refused.def"
#include "refused.def"

    .section .note.GNU-stack, "", @progbits
